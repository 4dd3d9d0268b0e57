/**
 * `longhaul server`: KCP sessions of many clients on one or many UDP ports (port.ts), each stream and flow led to its
 * target (exits.ts), and listeners that clients ask for (reverse-listeners.ts).
 */
import { ConfigError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { type Description, KIND_REVERSE, REFUSED_FAILED } from "../extension/description.ts";
import { FEATURE_SURVEYS, FEATURE_WANTS_DESCRIPTIONS, FEATURES_OF_ALL, FEATURES_OF_AUTO } from "../extension/hello.ts";
import { JoinedLink } from "../host/joined-link.ts";
import { type Carrier, type LinkHandler, udpCarrier } from "../host/link.ts";
import type { Driver } from "../host/loop.ts";
import { parsePortRange } from "./address.ts";
import { ChannelCounters } from "./channel-counters.ts";
import type { ServerConfig } from "./config.ts";
import { DatagramSender } from "./datagram-sender.ts";
import type { Endpoint } from "./endpoint.ts";
import { Exits } from "./exits.ts";
import { type Observation, observe, type Question } from "./observation.ts";
import { Port, type PortCarrier } from "./port.ts";
import { Recurrence } from "./recurrence.ts";
import { adopt, type Changes, changesOf } from "./reload.ts";
import type { SessionReport } from "./report.ts";
import { parseListeners, ReverseListeners } from "./reverse-listeners.ts";
import { Scratch } from "./scratch.ts";
import type { Session } from "./session.ts";
import type { SessionOptions } from "./session-options.ts";
import type { CarrierAt, TunnelParts } from "./slot.ts";
import { type SnmpCounters, snmpCounters } from "./snmp.ts";
import type { Stream } from "./stream.ts";
import { targetsOf } from "./target.ts";
import { Totals, type TunnelTotals } from "./totals.ts";
import type { User, UserReport } from "./user.ts";
import { Users, type UsersChange } from "./users.ts";

/** What a reload has changed. */
export type Reloaded = Changes & { readonly users?: UsersChange | undefined };

const SWEEP_MS: Millis = 5_000;

/** Carriers as one, each where it listens. */
function joinCarriers(carriers: readonly CarrierAt[], own: { readonly host: string; readonly port: number }): PortCarrier {
  const open = carriers.map(({ carrier, at }) => ({ carrier, at: at ?? own }));
  return {
    limits: open.map(({ carrier }) => carrier.datagramBytesMax),
    listen: (_at, options, handler) =>
      new JoinedLink(
        open.map(
          ({ carrier, at }) =>
            (each: LinkHandler) =>
              carrier.listen(at, options, each),
        ),
        handler,
      ),
  };
}

function oneCarrier(carrier: Carrier): PortCarrier {
  return { limits: [carrier.datagramBytesMax], listen: (at, options, handler) => carrier.listen(at, options, handler) };
}

/** What the ports of a server have in common. */
export interface ServerParts extends TunnelParts {
  readonly config: ServerConfig;
  readonly users: Users;
  /** Whether sessions may begin. */
  readonly open: { readonly now: boolean };
  readonly scratch: Scratch;
  readonly totals: Totals;
  readonly counters: ChannelCounters;
  readonly features: number;
  readonly opened: SessionOptions["opened"];
  readonly flowOpened: SessionOptions["flowOpened"];
  /** Whether the user may have one more session; counts it when not. */
  admit(now: Millis, user: User): boolean;
}

export class TunnelServer implements Driver {
  readonly #ports: readonly Port[];
  readonly #config: ServerConfig;
  readonly #parts: TunnelParts;
  readonly #totals: Totals;
  readonly #channels = new ChannelCounters();
  readonly #sender = new DatagramSender(this.#channels);
  readonly #scratch = new Scratch();
  readonly #exits: Exits;
  readonly #reverse: ReverseListeners;
  readonly #users: Users;
  readonly #open: { now: boolean };
  readonly #refused = new Recurrence();
  #sweepAt: Millis = 0;

  /** @throws HostError when an address cannot be bound, ConfigError for a wrong address */
  constructor(config: ServerConfig, parts: TunnelParts, open = true) {
    this.#open = { now: open };
    this.#config = { ...config };
    this.#parts = parts;
    const { host, least, most } = parsePortRange("listen", config.listen, 0);
    if (most - least >= config.ports) {
      throw new ConfigError("listen", `--listen: "${config.listen}" are ${most - least + 1} ports; --ports allows ${config.ports}`);
    }
    this.#totals = new Totals("server");
    this.#users = new Users(parts.loop.now(), config, parts.primitives, this.#totals, parts.ledger);
    const options = { ...parts, config: this.#config, counters: this.#channels, sender: this.#sender };
    this.#exits = new Exits({ ...options, option: "targets" }, targetsOf(config));
    this.#reverse = new ReverseListeners(options, parseListeners(config.reverse));
    const shared: ServerParts = {
      ...parts,
      config: this.#config,
      users: this.#users,
      open: this.#open,
      scratch: this.#scratch,
      totals: this.#totals,
      counters: this.#channels,
      features:
        FEATURES_OF_ALL |
        FEATURE_SURVEYS |
        (config.mode === "auto" ? FEATURES_OF_AUTO : 0) |
        (config.proxyprotocol ? FEATURE_WANTS_DESCRIPTIONS : 0),
      opened: (session, stream, now, description) => this.#opened(session, stream, now, description),
      flowOpened: this.#exits.flowOpened,
      admit: (now, user) => this.#admit(now, user),
    };
    const carriers = parts.carriers ?? [{ carrier: udpCarrier(parts.loop) }];
    const own = Array.from({ length: most - least + 1 }, (_, i) => ({ host, port: least + i }));
    // A client may change from one to another, and its session with it.
    const joined = carriers.length > 1 && own.length === 1 && config.extensions;
    this.#ports = joined
      ? [new Port(shared, joinCarriers(carriers, own[0]!), own[0]!)]
      : carriers.flatMap(({ carrier, at }: CarrierAt) =>
          (at === undefined ? own : [at]).map((where) => new Port(shared, oneCarrier(carrier), where)),
        );
    parts.loop.drive(this);
  }

  /** The first port's. */
  get endpoint(): Endpoint {
    return this.#ports[0]!.endpoint;
  }

  /** Names of reverse forwards that are listened for now. */
  get listeners(): number {
    return this.#reverse.size;
  }

  /** Flows that come out here now. */
  get flows(): number {
    return this.#exits.flows;
  }

  /** Sessions refused because `sessions` were open. */
  get refused(): number {
    return this.#refused.count;
  }

  /** Until this is called nothing that comes is taken, for other workers may still be binding the port: then the kernel spreads peers anew. */
  open(): void {
    this.#open.now = true;
  }

  advance(now: Millis): Millis {
    const ports = this.#ports;
    if (now >= this.#sweepAt) this.#sweep(now);
    let next: Millis = Math.min(this.#exits.advance(now), this.#reverse.advance(now));
    let sessions = 0;
    this.#scratch.trim(now);
    this.#sender.flush();
    for (let i = 0; i < ports.length; i++) {
      next = Math.min(next, ports[i]!.endpoint.advance(now));
      sessions += ports[i]!.sessions;
    }
    next = Math.min(next, this.#users.advance(now));
    return sessions > 0 ? Math.min(next, this.#sweepAt) : next;
  }

  /** The user whose session this peer has, "" without one or without a name. */
  userOf(peerName: string): string {
    for (const session of this.#totals.sessions) if (session.peerName === peerName) return session.lock?.user.name ?? "";
    return "";
  }

  report(now: Millis): SessionReport[] {
    return this.#ports.flatMap((port) => port.report(now));
  }

  /** Of users with a name. */
  users(): UserReport[] {
    return this.#users.report();
  }

  /** Of all sessions there were. */
  counters(): SnmpCounters {
    return snmpCounters(this.#snapshot());
  }

  /** What those who watch are told, at most once a second. */
  observe(now: Millis, question: Question): Observation {
    return observe(now, this.#totals, this.#snapshot(), question, this.#users.report(question.usersMax ?? 0));
  }

  /** Other targets and listeners from now on; connections that are open stay. @throws ConfigError for a wrong one, and then nothing changes */
  retarget(now: Millis, config: Pick<ServerConfig, "target" | "targets" | "reverse">): void {
    const targets = targetsOf(config);
    this.#reverse.replace(now, parseListeners(config.reverse));
    this.#exits.replace(targets);
  }

  /** Takes over what may change (reload.ts); sessions go on. @throws ConfigError, and then nothing has changed */
  reload(now: Millis, config: ServerConfig): Reloaded {
    const changes = changesOf("server", this.#config, config);
    targetsOf(config);
    parseListeners(config.reverse);
    const users = this.#users.configure(now, config);
    this.retarget(now, config);
    adopt(this.#config, config, changes);
    for (const port of this.#ports) port.reconfigure(now);
    this.#parts.loop.wake();
    return { ...changes, users: this.#users.named ? users : undefined };
  }

  stop(now: Millis): void {
    this.#reverse.close();
    for (const port of this.#ports) port.finish(now);
  }

  #opened(session: Session, stream: Stream, now: Millis, description: Description | undefined): void {
    if (session.lock?.user.refusesStream() === true)
      session.introductions.refuse(now, stream, REFUSED_FAILED, "too many connections of this user");
    else if (description?.kind === KIND_REVERSE) this.#reverse.register(session, stream, now, description);
    else this.#exits.opened(session, stream, now, description);
  }

  #snapshot(): TunnelTotals {
    return this.#totals.snapshot({ refused: this.#refused.count }, this.#channels, this.#users.counts());
  }

  #sweep(now: Millis): void {
    this.#sweepAt = now + SWEEP_MS;
    for (const port of this.#ports) port.sweep(now);
    this.#users.sweep(now);
  }

  #admit(now: Millis, user: User): boolean {
    let sessions = 0;
    for (const port of this.#ports) sessions += port.sessions;
    const limit = user.refusesSession();
    if (limit === undefined && sessions < this.#config.sessions) return true;
    const refused = this.#refused.happened(now);
    const reason = limit === undefined ? "as many as option sessions allows are open" : `the user's ${limit} are used up`;
    if (refused > 0) this.#parts.log.warn({ refused, sessions, user: user.name || undefined }, `session refused: ${reason}`);
    return false;
  }
}
