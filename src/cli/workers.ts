/**
 * The threads of a tunnel: each with a loop and a tunnel end of its own, at the same ports.
 *
 * The kernel gives every peer to one of the sockets of a port, by its address (SO_REUSEPORT), so a session stays on one thread. That holds once
 * all are bound: only then may sessions begin. Limits count within a thread: option sessions is divided, users with limits need one thread.
 */
import { availableParallelism } from "node:os";
import { ConfigError } from "../base/errors.ts";
import { chooseIo } from "../host/choose.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import { forwardsOf } from "../tunnel/forward.ts";
import type { SnmpCounters } from "../tunnel/snmp.ts";
import type { UserLimits } from "../tunnel/user.ts";
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
    if ("path" in listen) refuse(`with the unix socket "${text}", at which one thread listens`);
    else if (listen.port === 0) refuse(`with "${text}": any free port would be another one for each`);
  }
  if (config.reverse.length > 0) refuse("with --reverse: each would have the server listen");
}

function checkServer(config: ServerConfig, refuse: (why: string) => never): void {
  if (/:0$/.test(config.listen)) refuse(`with "${config.listen}": any free port would be another one for each`);
  if (config.reverse.length > 0) refuse("with --reverse: a name is listened for by one thread");
  for (const user of (Array.isArray(config.users) ? config.users : []) as (UserLimits & { name: string })[]) {
    const limit = (["sessions", "streams", "rateup", "ratedown", "quota"] as const).find((key) => user[key] > 0);
    if (limit !== undefined) refuse(`with ${limit} of user "${user.name}": limits of users hold within one thread`);
  }
}

/** What each of so many threads is given. */
export function shareOf(end: TunnelEnd, workers: number): TunnelEnd {
  if (end.role === "client") return { role: "client", config: { ...end.config, workers } };
  return { role: "server", config: { ...end.config, workers, sessions: Math.ceil(end.config.sessions / workers) } };
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
