/**
 * The threads of a tunnel: each with a loop and a tunnel end of its own, at the same ports.
 *
 * The kernel gives every peer to one of the sockets of a port, by its address (SO_REUSEPORT), so a session stays on one thread. That holds once
 * all are bound: only then may sessions begin. Option sessions is divided among them; limits of users hold over all of them (tunnel/user-ledger.ts). A
 * client's unix sockets and reverse forwards are the first thread's. A server's reverse listeners are each thread's whose client asks for them: the kernel
 * spreads connections over those at a port, a unix socket has whoever was asked first.
 */
import { availableParallelism } from "node:os";
import { ConfigError } from "../base/errors.ts";
import { chooseIo } from "../host/choose.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import { forwardsOf, parseForwards } from "../tunnel/forward.ts";
import type { SnmpCounters } from "../tunnel/snmp.ts";
import { carrierPlan } from "./carrier-plan.ts";
import type { TunnelEnd } from "./tunnel.ts";

const WORKERS_MAX = 64;

/** How many threads. @throws ConfigError when the other options do not allow so many */
export function workersOf(end: TunnelEnd): number {
  const { config } = end;
  const workers = config.workers === 0 ? Math.min(availableParallelism(), WORKERS_MAX) : config.workers;
  if (workers === 1) return 1;
  const refuse = (why: string): never => {
    throw new ConfigError("workers", `--workers: ${workers} are not allowed ${why}; give 1`);
  };
  const { kind, reason } = chooseIo(config.io);
  if (kind === "node") refuse(`on Node's own sockets, which cannot share a port (${reason})`);
  const other = carrierPlan(end).find(({ name }) => name !== "udp");
  if (other !== undefined) refuse(`with carrier ${other.name}, whose packets come to one thread`);
  if (end.role === "client") checkClient(end.config, refuse);
  else checkServer(end.config, refuse);
  return workers;
}

function checkClient(config: ClientConfig, refuse: (why: string) => never): void {
  for (const { listen, text } of forwardsOf(config)) {
    if ("port" in listen && listen.port === 0) refuse(`with "${text}": any free port would be another one for each`);
  }
}

function checkServer(config: ServerConfig, refuse: (why: string) => never): void {
  const free = [config.listen, ...config.reverse].find((text) => /:0$/.test(text));
  if (free !== undefined) refuse(`with "${free}": any free port would be another one for each`);
}

/** What thread `index` of so many is given. What only one can do, the first does. */
export function shareOf(end: TunnelEnd, workers: number, index: number): TunnelEnd {
  if (end.role === "server")
    return { role: "server", config: { ...end.config, workers, sessions: Math.ceil(end.config.sessions / workers) } };
  const config = { ...end.config, workers };
  if (index === 0) return { role: "client", config };
  const shared = (text: string): boolean => text !== "" && !("path" in parseForwards("forward", text)[0]!.listen);
  const localaddr = config.localaddr !== "" && shared(config.localaddr) ? config.localaddr : "";
  return { role: "client", config: { ...config, localaddr, forward: config.forward.filter(shared), reverse: [] } };
}

/** Sums by column, once all threads have answered. */
export class CountersSum {
  readonly #workers: number;
  readonly #answers: SnmpCounters[] = [];

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** The sum when this answer is the last of a round. */
  add(counters: SnmpCounters): SnmpCounters | undefined {
    this.#answers.push(counters);
    if (this.#answers.length < this.#workers) return undefined;
    const sum: Record<string, number> = {};
    for (const answer of this.#answers.splice(0)) {
      for (const [column, value] of Object.entries(answer)) sum[column] = (sum[column] ?? 0) + value;
    }
    return sum;
  }
}
