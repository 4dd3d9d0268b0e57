/**
 * `longhaul client`: accepts connections and carries them, as streams of one of `conn` KCP sessions, to the server.
 *
 *   connection (entrances.ts) → the next of `conn` slots in turn (slot.ts) → its session and UDP socket (path.ts)
 */
import { ConfigError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { createCipher } from "../cipher/cipher.ts";
import { KIND_TCP, KIND_UDP } from "../extension/description.ts";
import { type Carrier, udpCarrier } from "../host/link.ts";
import type { Driver, Listener, TcpHandler, TcpSocket } from "../host/loop.ts";
import { ChannelCounters } from "./channel-counters.ts";
import type { ClientConfig } from "./config.ts";
import { DatagramSender } from "./datagram-sender.ts";
import { type AcceptConnection, Entrances, TcpEntrance } from "./entrances.ts";
import { Exits } from "./exits.ts";
import { forwardsOf, reverseTargets } from "./forward.ts";
import { type Observation, observe, type Question } from "./observation.ts";
import { padsOf } from "./pads.ts";
import { adopt, type Changes, changesOf } from "./reload.ts";
import type { SessionReport } from "./report.ts";
import { ReverseRequests } from "./reverse-requests.ts";
import { RtmpEntrance } from "./rtmp-entrance.ts";
import { Scratch } from "./scratch.ts";
import { parseServer } from "./server-address.ts";
import { type ClientParts, Slot, type TunnelParts, type WayPlan } from "./slot.ts";
import { type SnmpCounters, snmpCounters } from "./snmp.ts";
import { Totals, type TunnelTotals } from "./totals.ts";
import { UdpEntrance } from "./udp-entrance.ts";

function waysOf({ path }: ClientConfig, carriers: readonly Carrier[]): WayPlan[] {
  return path.flatMap((name, i) => {
    const carrier = carriers[i];
    return carrier === undefined ? [] : [{ name, carrier, remote: parseServer("path", name.replace(/^[a-z]+=/, "")) }];
  });
}

/** @throws ConfigError where an interface is wanted of sockets that cannot be bound to one */
function checkDepartures({ remoteaddr, path }: ClientConfig, { loop }: TunnelParts): void {
  if (loop.kind !== "node") return;
  const given = [["remoteaddr", remoteaddr] as const, ...path.map((text) => ["path", text] as const)];
  for (const [key, text] of given) {
    if (parseServer(key, text.replace(/^[a-z]+=/, "")).departure === undefined) continue;
    throw new ConfigError(key, `--${key}: "${text}" is not allowed with Node's own sockets (io node); leave out what stands behind %`);
  }
}

export class TunnelClient implements Driver {
  readonly #config: ClientConfig;
  readonly #parts: TunnelParts;
  readonly #slots: Slot[];
  readonly #channels = new ChannelCounters();
  readonly #sender = new DatagramSender(this.#channels);
  readonly #entrances: Entrances;
  readonly #exits: Exits;
  readonly #reverse: ReverseRequests;
  readonly #totals: Totals;
  /** What the slots read when they make a session. */
  readonly #shared: { -readonly [Part in keyof ClientParts]: ClientParts[Part] };
  #next = 0;
  #stopped = false;
  refused = 0;

  /** @throws HostError when an address cannot be bound, ConfigError for a wrong address */
  constructor(config: ClientConfig, parts: TunnelParts) {
    this.#config = { ...config };
    this.#parts = parts;
    const remote = parseServer("remoteaddr", config.remoteaddr);
    checkDepartures(config, parts);
    const cipher = createCipher(config.crypt, parts.primitives.deriveKey(config.key), parts.primitives);
    const scratch = new Scratch();
    this.#totals = new Totals("client");
    this.#totals.cipherAdded(cipher.stats);
    this.#exits = new Exits(
      { ...parts, config: this.#config, counters: this.#channels, sender: this.#sender, option: "reverse" },
      reverseTargets(config),
    );
    this.#shared = {
      ...parts,
      carrier: parts.carriers?.[0]?.carrier ?? udpCarrier(parts.loop),
      config: this.#config,
      cipher,
      scratch,
      pads: padsOf(config, parts.primitives),
      totals: this.#totals,
      counters: this.#channels,
      opened: this.#exits.opened,
      flowOpened: this.#exits.flowOpened,
      ways: waysOf(config, parts.carriers?.slice(1).map(({ carrier }) => carrier) ?? []),
      peerName: config.remoteaddr,
    };
    this.#slots = Array.from({ length: config.conn }, () => new Slot(this.#shared, remote));
    const udp = {
      ...parts,
      counters: this.#channels,
      sender: this.#sender,
      config: this.#config,
      session: (now: Millis, turn: number) => this.#slots[turn % this.#slots.length]!.session(now),
    };
    this.#entrances = new Entrances((forward) => {
      if (forward.kind === KIND_UDP) return new UdpEntrance(udp, forward);
      if (forward.rtmp === true) return new RtmpEntrance(udp, forward, this.#accept);
      return new TcpEntrance(parts.loop, forward, this.#accept);
    });
    this.#reverse = new ReverseRequests(this.#slots, parts.log);
    this.forward(parts.loop.now(), config);
    if (this.#shared.carrier.connects === true) for (const slot of this.#slots) slot.session(parts.loop.now());
    parts.loop.drive(this);
  }

  /** Where it listens first. */
  get local(): Listener["local"] {
    return this.#entrances.all[0]!.local;
  }

  /** Has these forwards from now on, and no others; connections that are open stay. @throws HostError, ConfigError; then nothing changes */
  forward(now: Millis, config: Pick<ClientConfig, "localaddr" | "forward" | "reverse">): void {
    const targets = reverseTargets(config);
    this.#entrances.replace(forwardsOf(config));
    this.#exits.replace(targets);
    this.#reverse.replace(
      now,
      [...targets].map(({ name }) => name),
    );
    this.#parts.loop.wake();
  }

  /** Takes over what may change (reload.ts); sessions go on. @throws HostError, ConfigError; then nothing has changed */
  reload(now: Millis, config: ClientConfig): Changes {
    const changes = changesOf("client", this.#config, config);
    const remote = parseServer("remoteaddr", config.remoteaddr);
    if (changes.now.some((key) => key === "localaddr" || key === "forward" || key === "reverse")) this.forward(now, config);
    const rekeyed = changes.sessions.some((key) => ["key", "crypt", "QPP", "QPPCount"].includes(key));
    adopt(this.#config, config, changes);
    if (rekeyed) {
      const { primitives } = this.#parts;
      this.#shared.cipher = createCipher(config.crypt, primitives.deriveKey(config.key), primitives);
      this.#shared.pads = padsOf(config, primitives);
      this.#totals.cipherAdded(this.#shared.cipher.stats);
    }
    this.#shared.peerName = config.remoteaddr;
    for (const slot of this.#slots) {
      slot.reconfigure(now);
      if (changes.sessions.length > 0) slot.renew(now, remote);
    }
    this.#parts.loop.wake();
    return changes;
  }

  advance(now: Millis): Millis {
    let next: Millis = Math.min(this.#entrances.advance(now), this.#exits.advance(now), this.#stopped ? NEVER : this.#reverse.advance(now));
    this.#sender.flush();
    this.#shared.scratch.trim(now);
    for (let i = 0; i < this.#slots.length; i++) next = Math.min(next, this.#slots[i]!.advance(now));
    return next;
  }

  /** A connection that this process makes itself, to the server's target of that name; undefined when it cannot be had. */
  dial(now: Millis, socket: TcpSocket, target: string): TcpHandler | undefined {
    return this.#accept(socket, now, { kind: KIND_TCP, target });
  }

  /** The server has answered and is not silent now. Where nothing was asked yet, it is asked. */
  answers(now: Millis): boolean {
    return this.#slots.some((slot) => slot.answers(now));
  }

  report(now: Millis): SessionReport[] {
    return this.#slots.flatMap((slot) => slot.report(now));
  }

  /** Of all sessions there were. */
  counters(): SnmpCounters {
    return snmpCounters(this.#snapshot());
  }

  /** What those who watch are told, at most once a second. */
  observe(now: Millis, question: Question): Observation {
    return observe(now, this.#totals, this.#snapshot(), question);
  }

  /** Stops accepting and ends all streams in order; `loop.stop` follows when the peer has had time to hear of it. */
  stop(now: Millis): void {
    this.#stopped = true;
    this.#entrances.close();
    for (const slot of this.#slots) slot.finish(now);
  }

  #snapshot(): TunnelTotals {
    let retiredCut = 0;
    for (const slot of this.#slots) retiredCut += slot.retiredCut;
    const fits = this.#entrances.all.map((entrance) => (entrance instanceof RtmpEntrance ? entrance.fits : 0)).filter((each) => each > 0);
    this.#totals.rtmpFits = fits.length === 0 ? 0 : Math.min(...fits);
    return this.#totals.snapshot({ retiredCut, streamsRefused: this.refused }, this.#channels);
  }

  readonly #accept: AcceptConnection = (socket, now, description) => {
    if (this.#stopped) return undefined;
    const slot = this.#slots[this.#next]!;
    this.#next = (this.#next + 1) % this.#slots.length;
    const stream = slot.open(now, socket, description);
    const { log } = this.#parts;
    const target = description.target === "" ? undefined : description.target;
    if (stream === "streams") {
      this.refused++;
      log.warn({ from: socket.remote, refused: this.refused }, "connection refused: no more streams (option streams)");
      return undefined;
    }
    if (stream === "peer") {
      this.#channels.refusedPlain++;
      log.warn(
        { from: socket.remote, target },
        "connection refused: the server is a kcptun, or has extensions off, and knows no named targets",
      );
      return undefined;
    }
    const { quiet, remoteaddr } = this.#config;
    if (!quiet) log.info({ from: socket.remote, stream: stream.sid, target, peer: remoteaddr }, "connection opened");
    return stream;
  };
}
