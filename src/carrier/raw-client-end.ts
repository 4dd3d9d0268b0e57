/**
 * The client's raw connection, for ever: raw socket, port, core. What it carries is somebody else's affair: applications' datagrams (raw-client.ts), or
 * those of a tunnel in this process (raw-link.ts).
 *
 *   send ─▶ RawOutbox ─▶ raw packets ─▶ server            raw packets ─▶ core ─▶ user.datagram …, user.received
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { RawClient } from "../faketcp/client.ts";
import { echoType, protocolOf } from "../faketcp/envelope.ts";
import { drawU32, type RawOptions } from "../faketcp/options.ts";
import { DATA } from "../faketcp/packet.ts";
import { HandshakeSocket, type HandshakeUser } from "../host/handshake-socket.ts";
import { addressBytes, formatAddress, formatHostPort, ipFamily } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { LANES } from "../host/packet-filter.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { sourceAddress } from "../host/route.ts";
import { type HeldPort, holdPort, NOT_DEAF } from "./port-holder.ts";
import { RawOutbox } from "./raw-outbox.ts";
import { type CarrierCounters, type CarrierSettings, dropsOf, type HostPort, type SocketSettings, socketOptions } from "./settings.ts";

export interface RawClientEndSettings
  extends SocketSettings,
    Pick<CarrierSettings, "sourceHost" | "sourcePort" | "name" | "moved" | "resetsShown" | "resetsAllowed" | "randomDrop"> {
  readonly raw: RawOptions;
  /** The server: a literal address. */
  readonly remote: HostPort;
}

export interface RawClientUser {
  /** A datagram came: it is bytes[start…end) of the batch's slab, borrowed until `received` returns. */
  datagram(now: Millis, batch: Batch, start: number, end: number, conversation: number): void;
  /** All datagrams of a batch were told. */
  received(now: Millis): void;
  /** A connection stands, or the raw socket takes packets again. */
  writable(now: Millis): void;
}

/** Driven by its owner. */
export class RawClientEnd {
  readonly core: RawClient;
  readonly outbox: RawOutbox;
  /** Of the raw socket; its counters too. */
  readonly socket: RawSocket;
  readonly #loop: EpollLoop;
  readonly #settings: RawClientEndSettings;
  readonly #log: Log;
  readonly #user: RawClientUser;
  #remote: Uint8Array;
  /** Modulo LANES of every port of ours: a server of several threads then has all our connections on the same one. */
  readonly #lane: number;
  #connections = 0;
  #lookingUp = false;
  #resetsTold = 0;
  #resetsBefore = 0;
  #held: HeldPort | undefined;
  /** easyfaketcp: the machine's own connection. */
  readonly #kernel: HandshakeUser = {
    standing: () => undefined,
    failed: (now, code) => {
      this.#log.warn({ reason: code }, "no TCP connection; trying again");
      this.core.reconnect(now);
      this.#retryAt = now + RETRY_MS;
      this.#loop.wake();
    },
  };
  #retryAt: Millis = 0;
  #state = "";
  /** Attempts in a row that came to nothing. */
  #failures = 0;
  /** Of the core, as far as they were told. */
  #timeouts = 0;
  #open = true;

  /** @throws HostError when raw packets are not allowed */
  constructor(loop: EpollLoop, settings: RawClientEndSettings, counters: CarrierCounters, log: Log, user: RawClientUser) {
    const { raw, remote } = settings;
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.#user = user;
    this.#remote = addressBytes(remote.host);
    this.#lane = drawU32(raw.random) % LANES;
    this.core = new RawClient({ ...raw, splitsMerged: true });
    const handler = {
      receive: (now: Millis, batch: Batch, segmentBytes: Int32Array) => this.#receive(now, batch, segmentBytes),
      writable: (now: Millis) => user.writable(now),
    };
    this.socket = new RawSocket(loop, { version: ipFamily(remote.host) === 4 ? 4 : 6, ...socketOptions(settings) }, handler);
    this.outbox = new RawOutbox(this.core.seals.out, this.socket, counters, dropsOf(settings));
  }

  get ready(): boolean {
    return this.core.state === "ready";
  }

  /** Another connection from another port. */
  reconnect(now: Millis): void {
    this.core.reconnect(now);
    this.#loop.wake();
  }

  /** Once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    if (!this.#open) return NEVER;
    // What this round has brought goes out before the connection may become another.
    this.outbox.push(now);
    this.core.advance(now);
    if (this.core.needsPort && now >= this.#retryAt) this.#connect(now);
    while (!this.core.transmit(now, this.outbox.batch)) this.outbox.pushCore();
    this.outbox.pushCore();
    this.#watchResets(now);
    this.#tell(now);
    return this.core.needsPort ? this.#retryAt : this.core.deadline();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#held?.close();
    this.socket.close();
  }

  #connect(now: Millis): void {
    this.#retryAt = now + RETRY_MS;
    this.#held?.close();
    this.#held = undefined;
    const { name } = this.#settings;
    // The address at hand is fresh the first time.
    if (name === undefined || this.#connections === 0) this.#begin(now);
    else if (!this.#lookingUp) this.#lookUp(name);
  }

  #lookUp(name: string): void {
    this.#lookingUp = true;
    this.#loop.resolve(name, this.#remote.length === 16 ? 6 : 4, (address, now) => {
      this.#lookingUp = false;
      if (!this.#open || !this.core.needsPort) return;
      if (address === undefined) this.#log.warn({ name }, "the server's name is not found; trying the address it had");
      else {
        const found = addressBytes(address);
        if (found.some((byte, i) => byte !== this.#remote[i])) {
          this.#log.info({ name, address }, "the server's name has another address");
          this.#remote = found;
          this.#settings.moved?.(address);
        }
      }
      this.#begin(now);
    });
  }

  #begin(now: Millis): void {
    const { raw, remote, sourceHost, sourcePort } = this.#settings;
    const by = this.#settings.sendsByDevice === true && this.#settings.device !== undefined ? { device: this.#settings.device } : {};
    this.#connections++;
    this.#resetsBefore = this.core.stats.resets;
    try {
      const to = { host: formatAddress(this.#remote), port: remote.port };
      const host = sourceHost ?? sourceAddress(this.#loop.sys, to, by);
      const handshake =
        raw.easy === true ? new HandshakeSocket(this.#loop, { host, port: sourcePort ?? 0, ...by }, this.#kernel) : undefined;
      const localPort = handshake?.local.port ?? sourcePort ?? this.#drawPort();
      this.#held = handshake ?? holdPort(this.#loop, raw.mode, host, localPort);
      if (this.#held.deaf === false && this.#connections === 1) this.#log.warn({}, NOT_DEAF);
      const v6 = this.#remote.length === 16;
      const icmp = raw.mode === "icmp";
      const icmpType = echoType("server", v6);
      this.socket.filter({ protocol: protocolOf(raw.mode, v6), port: localPort, ...(icmp ? { icmpType } : {}) });
      this.core.connect(now, { local: addressBytes(host), remote: this.#remote, localPort, remotePort: icmp ? localPort : remote.port });
      // Its answer is seen by the raw socket, and goes on from there.
      handshake?.connect(remote);
      this.#retryAt = now;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#log.warn({ reason: error.message }, "no raw connection can begin; trying again");
    }
  }

  #drawPort(): number {
    const blocks = Math.floor((PORT_MOST - PORT_LEAST + 1) / LANES);
    const first = Math.ceil(PORT_LEAST / LANES) * LANES;
    return first + (drawU32(this.#settings.raw.random) % (blocks - 1)) * LANES + this.#lane;
  }

  /** Others send them: they mean nothing here, unless that is wished. */
  #watchResets(now: Millis): void {
    const { resetsShown = RESETS_SHOWN, resetsAllowed } = this.#settings;
    const { resets } = this.core.stats;
    if (resets > this.#resetsTold) {
      if (this.#resetsTold < resetsShown) this.#log.warn({ resets }, "a RST came");
      this.#resetsTold = resets;
    }
    if (resetsAllowed === undefined || this.core.needsPort || resets - this.#resetsBefore <= resetsAllowed) return;
    this.#log.warn({ resets: resets - this.#resetsBefore, allowed: resetsAllowed }, "too many RSTs; making a new raw connection");
    this.reconnect(now);
  }

  #receive(now: Millis, batch: Batch, segmentBytes: Int32Array): void {
    const { core } = this;
    const { bytes, view, start, end, peer } = batch;
    for (let i = 0; i < batch.length; i++) core.receive(now, bytes, view, start[i]!, end[i]!, segmentBytes[i]!, peer[i]!);
    for (let found = core.next(now, bytes, view); found !== 0; found = core.next(now, bytes, view)) {
      if (found !== DATA) continue;
      const { dataStart, dataEnd, conversation } = core.connection;
      this.#user.datagram(now, batch, dataStart, dataEnd, conversation);
    }
    this.#user.received(now);
    this.#loop.wake();
  }

  /** At the first failure, the second, the fourth and so on. */
  #complain(reason: string): void {
    this.#failures++;
    if ((this.#failures & (this.#failures - 1)) !== 0) return;
    const { host, port } = this.#settings.remote;
    this.#log.warn({ server: formatHostPort(host, port), attempts: this.#failures, reason }, "no raw connection; trying again");
  }

  #tell(now: Millis): void {
    const { state, stats } = this.core;
    if (stats.timeouts > this.#timeouts) {
      this.#timeouts = stats.timeouts;
      this.#complain(WHY[this.#state] ?? "");
    }
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state === "ready") {
      this.#log.info({ port: this.core.ends?.localPort }, "raw connection is ready");
      this.#user.writable(now);
      this.#failures = 0;
    } else if (before === "ready") this.#log.warn({ silences: this.core.stats.silences }, "raw connection is lost");
  }
}

/** Why a step of the handshake was not answered. */
const WHY: Readonly<Record<string, string>> = {
  syn: "nothing answers there, or the way is blocked",
  handshake1: "key or modes differ: a udp2raw wants its own, by --compat udp2raw or --cipher-mode and --auth-mode",
  handshake2: "the server fell silent in the handshake",
};
/** Those of the original. */
const PORT_LEAST = 10_000;
const PORT_MOST = 65_534;
const RESETS_SHOWN = 15;
const RETRY_MS: Millis = 1000;
