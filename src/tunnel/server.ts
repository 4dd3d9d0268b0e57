/**
 * `longhaul server`: KCP sessions of many clients on one or many UDP ports (port.ts), each stream connected to its target (connector.ts).
 */
import { ConfigError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { createCipher, type PacketCipher } from "../cipher/cipher.ts";
import { FEATURE_DESCRIPTIONS, FEATURE_WANTS_DESCRIPTIONS } from "../extension/hello.ts";
import type { Driver } from "../host/loop.ts";
import type { QppPads } from "../qpp/qpp.ts";
import { parsePortRange } from "./address.ts";
import { ChannelCounters } from "./channel-counters.ts";
import type { ServerConfig } from "./config.ts";
import { Connector } from "./connector.ts";
import type { Endpoint } from "./endpoint.ts";
import { Scratch } from "./layers.ts";
import { type Observation, observe, type Question } from "./observation.ts";
import { padsOf } from "./pads.ts";
import { Port } from "./port.ts";
import { Recurrence } from "./recurrence.ts";
import type { SessionReport } from "./report.ts";
import type { SessionOptions } from "./session.ts";
import type { TunnelParts } from "./slot.ts";
import { type SnmpCounters, snmpCounters } from "./snmp.ts";
import { parseTarget, TargetList } from "./target.ts";
import { Totals, type TunnelTotals } from "./totals.ts";

const SWEEP_MS: Millis = 5_000;

/** What the ports of a server have in common. */
export interface ServerParts extends TunnelParts {
  readonly config: ServerConfig;
  readonly cipher: PacketCipher;
  readonly scratch: Scratch;
  readonly pads: QppPads | undefined;
  readonly totals: Totals;
  readonly counters: ChannelCounters;
  readonly features: number;
  readonly opened: SessionOptions["opened"];
  /** Whether one more session is allowed; counts it when not. */
  admit(now: Millis): boolean;
}

export class TunnelServer implements Driver {
  readonly #ports: readonly Port[];
  readonly #config: ServerConfig;
  readonly #parts: TunnelParts;
  readonly #totals: Totals;
  readonly #channels = new ChannelCounters();
  readonly #connector: Connector;
  readonly #refused = new Recurrence();
  #sweepAt: Millis = 0;

  /** @throws HostError when an address cannot be bound, ConfigError for a wrong address */
  constructor(config: ServerConfig, parts: TunnelParts) {
    this.#config = config;
    this.#parts = parts;
    const cipher = createCipher(config.crypt, parts.primitives.deriveKey(config.key), parts.primitives);
    const { host, least, most } = parsePortRange("listen", config.listen, 0);
    if (most - least >= config.ports) {
      throw new ConfigError("listen", `--listen: "${config.listen}" are ${most - least + 1} ports; --ports allows ${config.ports}`);
    }
    this.#totals = new Totals("server", cipher.stats);
    const shared: ServerParts = {
      ...parts,
      config,
      cipher,
      scratch: new Scratch(),
      pads: padsOf(config, parts.primitives),
      totals: this.#totals,
      counters: this.#channels,
      features: FEATURE_DESCRIPTIONS | (config.proxyprotocol ? FEATURE_WANTS_DESCRIPTIONS : 0),
      opened: (session, stream, now, description) => this.#connector.connect(session, stream, now, description),
      admit: (now) => this.#admit(now),
    };
    this.#connector = new Connector({
      ...parts,
      counters: this.#channels,
      targets: new TargetList("targets", config.targets, parseTarget("target", config.target)),
      option: "targets",
      introduce: config.proxyprotocol,
      quiet: config.quiet,
    });
    this.#ports = Array.from({ length: most - least + 1 }, (_, i) => new Port(shared, host, least + i));
    parts.loop.drive(this);
  }

  /** The first port's. */
  get endpoint(): Endpoint {
    return this.#ports[0]!.endpoint;
  }

  /** Sessions refused because `sessions` were open. */
  get refused(): number {
    return this.#refused.count;
  }

  advance(now: Millis): Millis {
    const ports = this.#ports;
    if (now >= this.#sweepAt) this.#sweep(now);
    let next: Millis = NEVER;
    let sessions = 0;
    for (let i = 0; i < ports.length; i++) {
      next = Math.min(next, ports[i]!.endpoint.advance(now));
      sessions += ports[i]!.sessions;
    }
    return sessions > 0 ? Math.min(next, this.#sweepAt) : next;
  }

  report(now: Millis): SessionReport[] {
    return this.#ports.flatMap((port) => port.report(now));
  }

  /** Of all sessions there were. */
  counters(): SnmpCounters {
    return snmpCounters(this.#snapshot());
  }

  /** What those who watch are told, at most once a second. */
  observe(now: Millis, question: Question): Observation {
    return observe(now, this.#totals, this.#snapshot(), question);
  }

  /** Other targets from now on; connections that are open stay. @throws ConfigError for a wrong one, and then nothing changes */
  retarget({ target, targets }: Pick<ServerConfig, "target" | "targets">): void {
    this.#connector.targets = new TargetList("targets", targets, parseTarget("target", target));
  }

  stop(now: Millis): void {
    for (const port of this.#ports) port.finish(now);
  }

  #snapshot(): TunnelTotals {
    return this.#totals.snapshot({ refused: this.#refused.count }, this.#channels);
  }

  #sweep(now: Millis): void {
    this.#sweepAt = now + SWEEP_MS;
    for (const port of this.#ports) port.sweep(now);
  }

  #admit(now: Millis): boolean {
    let sessions = 0;
    for (const port of this.#ports) sessions += port.sessions;
    if (sessions < this.#config.sessions) return true;
    const refused = this.#refused.happened(now);
    if (refused > 0) this.#parts.log.warn({ refused, sessions }, "session refused: as many as option sessions allows are open");
    return false;
  }
}
