/** Runs one tunnel end: the loop in a worker thread, signals and reports here. */

import { closeSync, openSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";
import { giveBackFreedMemory } from "../host/freed-memory.ts";
import { tidyHeap } from "../host/heap.ts";
import { type Log, silentLog } from "../host/log.ts";
import { LogGate } from "../host/log-gate.ts";
import { type LoopWorker, startLoopWorker } from "../host/worker.ts";
import type { WorkerObservation } from "../metrics/merge.ts";
import type { AskWorkers } from "../metrics/observer.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import { forwardsOf, reverseTargets } from "../tunnel/forward.ts";
import type { Question } from "../tunnel/observation.ts";
import { parseListeners } from "../tunnel/reverse-listeners.ts";
import { allCounters } from "../tunnel/snmp.ts";
import { targetsOf } from "../tunnel/target.ts";
import { carrierPlan } from "./carrier-plan.ts";
import { addCarrierRules } from "./carrier-rules.ts";
import { defaultKey } from "./default-key.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { Reload } from "./reload.ts";
import { onStop } from "./signals.ts";
import { SnmpSchedule } from "./snmp-schedule.ts";
import type { TunnelCommand, TunnelData, TunnelMessage } from "./tunnel-program.ts";
import { UserAccounts } from "./user-accounts.ts";
import { Watch } from "./watch.ts";
import { CountersSum, shareOf, workersOf } from "./workers.ts";

/** kcptun's options that are not here yet: refused by name rather than ignored. */
export const laterOptions: readonly string[] = ["pprof"];

export type TunnelEnd =
  | { readonly role: "client"; readonly config: ClientConfig }
  | { readonly role: "server"; readonly config: ServerConfig };

/** @throws ConfigError for options that do not fit together */
export function checkTunnel({ role, config }: TunnelEnd): void {
  const { datashard, parityshard } = config;
  if (datashard + parityshard > 255) {
    throw new ConfigError("datashard", `--datashard and --parityshard: ${datashard} + ${parityshard} is not allowed; together at most 255`);
  }
  if (role === "client" && forwardsOf(config).length + reverseTargets(config).size === 0)
    throw new ConfigError("localaddr", "--localaddr: nothing given; give host:port or a path");
  carrierPlan({ role, config } as TunnelEnd);
  workersOf({ role, config } as TunnelEnd);
  if (config.metrics !== "") parseMetricsAddress(config.metrics);
  if (role === "server") {
    if (config.state !== "" && config.users === "")
      throw new ConfigError("state", `--state: "${config.state}" is not allowed without --users; give users with quotas, or leave it out`);
    targetsOf(config);
    parseListeners(config.reverse);
  }
  if (config.log !== "") {
    try {
      closeSync(openSync(config.log, "a"));
    } catch (error) {
      throw new ConfigError("log", `--log: "${config.log}" cannot be written: ${(error as Error).message}`);
    }
  }
}

export interface Refusal {
  /** One sentence. */
  readonly message: string;
  readonly wrongConfig: boolean;
}

export interface RunningTunnel {
  /** Settles with the reason when it could not start, undefined when it listens. */
  readonly listening: Promise<Refusal | undefined>;
  /** Which sockets it uses and why. */
  readonly io: { readonly kind: string; readonly reason: string };
  readonly workers: number;
  /** Settles when all threads have ended; rejects when one has failed. */
  readonly ended: Promise<void>;
  send(command: TunnelCommand): void;
  /** Hands each thread its share of another configuration. @throws ConfigError */
  reload(config: ClientConfig | ServerConfig): void;
  /** What each worker has to tell; undefined of one that has ended. */
  readonly ask: AskWorkers;
}

/** `onMessage` is told by which thread. @throws ConfigError as workersOf does, and when the file of option state cannot be used */
export function startTunnel(
  end: TunnelEnd,
  name: string,
  onMessage: (message: TunnelMessage, worker: number) => void = () => {},
  log: Log = silentLog,
): RunningTunnel {
  const count = workersOf(end);
  const accounts = end.role === "server" && Array.isArray(end.config.users) ? new UserAccounts(end.config, count, log) : undefined;
  const shareFor = (wanted: ClientConfig | ServerConfig, index: number): TunnelEnd => {
    const config = accounts === undefined ? wanted : accounts.place(wanted as ServerConfig);
    return shareOf({ role: end.role, config } as TunnelEnd, count, index);
  };
  const carriers = carrierPlan(end);
  const module = carriers.every(({ name }) => name === "udp") ? "./udp-tunnel-worker.ts" : "./carried-tunnel-worker.ts";
  const common = { carriers, level: end.config.quiet ? "warn" : "info", name };
  const dataFor = (index: number): TunnelData =>
    ({ ...common, ...shareFor(end.config, index), ledger: accounts?.share(index) }) as TunnelData;
  let settleListening: (refusal: Refusal | undefined) => void = () => {};
  const listening = new Promise<Refusal | undefined>((settle) => {
    settleListening = settle;
  });
  let bound = 0;
  const workers = Array.from({ length: count }, (_, index) =>
    startLoopWorker<TunnelData, TunnelCommand, TunnelMessage>({
      module: new URL(module, import.meta.url),
      data: dataFor(index),
      io: end.config.io,
      sharePorts: count > 1,
      onMessage: (message) => {
        if (message.kind === "listening" && ++bound === count) {
          send({ kind: "open" });
          settleListening(undefined);
        } else if (message.kind === "refused") {
          settleListening(message);
          for (const other of workers) void other.stop();
        }
        onMessage(message, index);
      },
    }),
  );
  const send = (command: TunnelCommand): void => {
    for (const worker of workers) worker.post(command);
  };
  return {
    io: workers[0]!.io,
    workers: count,
    listening,
    ended: Promise.all(workers.map(({ ended }) => ended)).then(
      () => accounts?.close(),
      (error) => {
        accounts?.close();
        throw error;
      },
    ),
    send,
    reload: (config) => {
      for (const [index, worker] of workers.entries()) worker.post({ kind: "reload", config: shareFor(config, index).config });
    },
    ask: (questions) => Promise.all(workers.map((worker, index) => observation(worker, questions(index)))),
  };
}

async function observation(worker: LoopWorker<TunnelCommand>, question: Question): Promise<WorkerObservation | undefined> {
  const counters = await worker.counters(question);
  return counters?.program === undefined ? undefined : (counters as WorkerObservation);
}

/** `reread` makes the configuration anew of the same sources. @throws ConfigError */
export async function runTunnel(end: TunnelEnd, reread: () => TunnelEnd): Promise<number> {
  checkTunnel(end);
  const { config } = end;
  const gate = new LogGate("info", config.log);
  const log = gate.log.child({ module: "tunnel" });
  const watch = await Watch.open(end, log);
  try {
    return await carry(end, new Reload(end, reread, log), gate, watch);
  } finally {
    await watch.close();
  }
}

async function carry(end: TunnelEnd, reload: Reload, gate: LogGate, watch: Watch): Promise<number> {
  const log = gate.log.child({ module: "tunnel" });
  const { config } = end;
  if (config.key === defaultKey && !("users" in config && config.users !== ""))
    log.warn({}, "the key is kcptun's public default: anyone can read and use this tunnel; give --key");
  const rules = await addCarrierRules(end, log);
  const tunnel = startTunnel(
    end,
    `tunnel.${end.role}`,
    (message, worker) => {
      if (message.kind === "report") {
        const by = tunnel.workers > 1 ? { worker } : {};
        for (const session of message.sessions) log.info({ ...by, ...session }, "session");
        for (const user of message.users) log.info({ ...by, ...user }, "user");
      }
      if (message.kind === "counters") {
        const sum = sums[message.asker].add(message.counters);
        if (sum !== undefined && message.asker === "signal") log.info(allCounters(config.compat, sum), "counters of this process");
        if (sum !== undefined && message.asker === "snmplog") snmp.write(sum);
      }
      if (message.kind === "not reloaded") reload.refused(message.message);
      if (message.kind === "reloaded" && reload.done(message.reloaded).some((key) => key.startsWith("snmp"))) snmp.configure(reload.config);
    },
    log,
  );
  const sums = { signal: new CountersSum(tunnel.workers), snmplog: new CountersSum(tunnel.workers) };
  const snmp = new SnmpSchedule(log, () => tunnel.send({ kind: "counters", asker: "snmplog" }));
  snmp.configure(config);
  const hangUp = (): void => {
    const wanted = reload.read();
    if (wanted === undefined) return;
    // A file that was rotated away is opened anew even when nothing has changed.
    if (!gate.reopen(wanted.log)) log.warn({}, "option log goes to or from standard error only when the program is started anew");
    try {
      tunnel.reload(wanted);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      reload.refused(error.message);
    }
  };
  process.on("SIGHUP", hangUp);
  watch.attach(tunnel);
  const report = (): void => {
    tunnel.send({ kind: "report" });
    tunnel.send({ kind: "counters", asker: "signal" });
  };
  process.on("SIGUSR1", report);
  let freed: { stop(): void } | undefined;
  const off = onStop((signal) => {
    log.info({ signal }, "stopping");
    tunnel.send({ kind: "stop" });
  });
  try {
    log.info({ io: tunnel.io.kind, reason: tunnel.io.reason }, "sockets chosen");
    if (tunnel.io.kind === "node" && config.dscp > 0)
      log.warn({ dscp: config.dscp }, "dscp is not set: Node's own sockets have no such option");
    const refusal = await tunnel.listening;
    if (refusal !== undefined) process.stderr.write(`longhaul ${end.role}: ${refusal.message}\n`);
    else await watch.openLocal();
    tidyHeap();
    freed = giveBackFreedMemory();
    await tunnel.ended;
    return refusal === undefined ? 0 : refusal.wrongConfig ? 2 : 1;
  } finally {
    freed?.stop();
    snmp.stop();
    process.off("SIGHUP", hangUp);
    process.off("SIGUSR1", report);
    off();
    for (const rule of rules) await rule.remove();
  }
}
