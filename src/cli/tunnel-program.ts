/**
 * Runs in the worker thread of `longhaul client`, `server` and `up`: one tunnel end on the loop it is given. Two modules start it: udp-tunnel-worker.ts, and
 * carried-tunnel-worker.ts with all other carriers, which would take 3 MB that most tunnels have no use for.
 */
import { ConfigError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { cryptoKind, primitives } from "../host/crypto.ts";
import type { Log, LogLevel } from "../host/log.ts";
import { LogGate } from "../host/log-gate.ts";
import type { Driver, Loop } from "../host/loop.ts";
import type { Program } from "../host/worker-main.ts";
import type { LoopPort } from "../host/worker-port.ts";
import { TunnelClient } from "../tunnel/client.ts";
import type { ClientConfig, ServerConfig } from "../tunnel/config.ts";
import type { Question } from "../tunnel/observation.ts";
import type { SessionReport } from "../tunnel/report.ts";
import { type Reloaded, TunnelServer } from "../tunnel/server.ts";
import type { CarrierAt } from "../tunnel/slot.ts";
import type { SnmpCounters } from "../tunnel/snmp.ts";
import type { UserReport } from "../tunnel/user.ts";
import { UserLedger } from "../tunnel/user-ledger.ts";
import type { PlannedCarrier } from "./carrier-plan.ts";
import type { LedgerShare } from "./user-accounts.ts";

export type TunnelData =
  | {
      readonly role: "client";
      readonly config: ClientConfig;
      readonly ledger?: undefined;
      readonly level: LogLevel;
      readonly name: string;
      readonly carriers: readonly PlannedCarrier[];
    }
  | {
      readonly role: "server";
      readonly config: ServerConfig;
      readonly ledger?: LedgerShare | undefined;
      readonly level: LogLevel;
      readonly name: string;
      readonly carriers: readonly PlannedCarrier[];
    };

/** main → worker */
export type TunnelCommand =
  | { readonly kind: "stop" }
  | { readonly kind: "open" }
  | { readonly kind: "report" }
  | { readonly kind: "reload"; readonly config: ClientConfig | ServerConfig }
  | { readonly kind: "counters"; readonly asker: CountersAsker };

/** Who the answer is for. */
export type CountersAsker = "signal" | "snmplog";

/** worker → main */
export type TunnelMessage =
  | { readonly kind: "listening" }
  | { readonly kind: "refused"; readonly message: string; readonly wrongConfig: boolean }
  | { readonly kind: "report"; readonly sessions: readonly SessionReport[]; readonly users: readonly UserReport[] }
  | { readonly kind: "counters"; readonly asker: CountersAsker; readonly counters: SnmpCounters }
  | { readonly kind: "reloaded"; readonly reloaded: Reloaded }
  | { readonly kind: "not reloaded"; readonly message: string };

/** How long the peer may take to hear of our streams' ends before the loop stops. */
const FAREWELL_MS: Millis = 300;

/** `mtu`: the option's. @throws ConfigError, HostError when a carrier cannot be had */
export type MakeCarriers = (plan: readonly PlannedCarrier[], mtu: number, loop: Loop, log: Log) => CarrierAt[];

export function runTunnelEnd(
  makeCarriers: MakeCarriers,
  loop: Loop,
  data: TunnelData,
  port: LoopPort<TunnelCommand, TunnelMessage>,
): Program | undefined {
  const gate = new LogGate(data.config.quiet ? "warn" : data.level, data.config.log);
  const log = gate.log.child({ module: data.name });
  let tunnel: TunnelClient | TunnelServer;
  try {
    const carriers = makeCarriers(data.carriers, data.config.mtu, loop, log);
    const { ledger: share } = data;
    const ledger = share && new UserLedger(share.threads, share.thread, share.memory);
    const parts = { ledger, loop, log, primitives, carriers };
    // The gate keeps quiet what is to be quiet, so that a reload can change it for all there is.
    tunnel =
      data.role === "client"
        ? new TunnelClient({ ...data.config, quiet: false }, parts)
        : new TunnelServer({ ...data.config, quiet: false }, parts, data.config.workers === 1);
  } catch (error) {
    if (!(error instanceof ConfigError) && (error as Error).name !== "HostError") throw error;
    port.post({ kind: "refused", message: (error as Error).message, wrongConfig: error instanceof ConfigError });
    loop.stop();
    return undefined;
  }
  const at =
    data.role === "client" ? [data.config.localaddr, ...data.config.forward].filter((text) => text !== "").join(" ") : data.config.listen;
  const to = data.role === "client" ? data.config.remoteaddr : data.config.target;
  const { crypt, mode, mtu, datashard, parityshard } = data.config;
  log.info(
    { at, to, crypt, mode, mtu, fec: `${datashard}/${parityshard}`, io: loop.kind, crypto: cryptoKind },
    `tunnel ${data.role} listening`,
  );
  const farewell = new Farewell(loop);
  loop.drive(farewell);
  port.onCommand((command, now) => {
    if (command.kind === "report")
      port.post({ kind: "report", sessions: tunnel.report(now), users: tunnel instanceof TunnelServer ? tunnel.users() : [] });
    else if (command.kind === "counters") port.post({ kind: "counters", asker: command.asker, counters: tunnel.counters() });
    else if (command.kind === "open") {
      // What waits in the sockets came before the last of them was bound: it is dropped in this round, and sent again.
      if (tunnel instanceof TunnelServer) loop.drive(new Opening(tunnel));
    } else if (command.kind === "reload") port.post(reload(now, tunnel, gate, command.config));
    else {
      tunnel.stop(now);
      farewell.stopAt = now + FAREWELL_MS;
      loop.wake();
    }
  });
  port.post({ kind: "listening" });
  return { counters: (now, question) => tunnel.observe(now, question as Question) };
}

function reload(now: Millis, tunnel: TunnelClient | TunnelServer, gate: LogGate, config: ClientConfig | ServerConfig): TunnelMessage {
  try {
    const loud = { ...config, quiet: false };
    const reloaded = tunnel instanceof TunnelServer ? tunnel.reload(now, loud as ServerConfig) : tunnel.reload(now, loud as ClientConfig);
    gate.level = config.quiet ? "warn" : "info";
    gate.reopen(config.log);
    return { kind: "reloaded", reloaded };
  } catch (error) {
    if (!(error instanceof ConfigError) && (error as Error).name !== "HostError") throw error;
    return { kind: "not reloaded", message: (error as Error).message };
  }
}

class Opening implements Driver {
  readonly #server: TunnelServer;

  constructor(server: TunnelServer) {
    this.#server = server;
  }

  advance(): Millis {
    this.#server.open();
    return NEVER;
  }
}

class Farewell implements Driver {
  stopAt: Millis = NEVER;
  readonly #loop: Loop;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  advance(now: Millis): Millis {
    if (now >= this.stopAt) this.#loop.stop();
    return this.stopAt;
  }
}
