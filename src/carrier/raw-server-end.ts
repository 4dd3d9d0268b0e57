/**
 * The server's side of raw connections: raw socket, held port, core. What they carry is somebody else's affair: datagrams for a target (raw-server.ts), or
 * those of a tunnel in this process (raw-server-link.ts).
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { echoType, protocolOf } from "../faketcp/envelope.ts";
import type { RawOptions } from "../faketcp/options.ts";
import { DATA } from "../faketcp/packet.ts";
import { type RawPeer, RawServer, type RawServerLimits, serverLimits } from "../faketcp/server.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { EasyListener } from "./easy-listener.ts";
import { type HeldPort, holdPort } from "./port-holder.ts";
import { RawOutbox } from "./raw-outbox.ts";
import { type CarrierCounters, type CarrierSettings, dropsOf, type HostPort, type SocketSettings, socketOptions } from "./settings.ts";

export interface RawServerEndSettings extends SocketSettings, Pick<CarrierSettings, "randomDrop"> {
  readonly raw: RawOptions;
  /** What clients send raw packets to: a literal address. */
  readonly local: HostPort;
  readonly limits?: RawServerLimits;
}

export interface RawServerUser {
  /** A datagram came: it is bytes[start…end) of the batch's slab, borrowed until `received` returns. */
  datagram(now: Millis, peer: RawPeer, batch: Batch, start: number, end: number, conversation: number): void;
  /** All datagrams of a batch were told. */
  received(now: Millis): void;
  /** The peer is gone; nothing more comes of it. */
  closed(now: Millis, peer: RawPeer): void;
  /** The raw socket takes packets again. */
  writable(now: Millis): void;
}

/** Driven by its owner. */
export class RawServerEnd {
  readonly core: RawServer;
  readonly outbox: RawOutbox;
  /** Of the raw socket; its counters too. */
  readonly socket: RawSocket;
  readonly #loop: EpollLoop;
  readonly #user: RawServerUser;
  /** Undefined: another thread holds it. */
  readonly #held: HeldPort | undefined;
  readonly #easy: EasyListener | undefined;

  /** @throws HostError when the address cannot be had or raw packets are not allowed */
  constructor(loop: EpollLoop, settings: RawServerEndSettings, counters: CarrierCounters, user: RawServerUser) {
    const { raw, local, limits } = settings;
    const v6 = ipFamily(local.host) === 6;
    this.#loop = loop;
    this.#user = user;
    this.core = new RawServer(local.port, { ...raw, splitsMerged: true }, limits);
    const handler = {
      receive: (now: Millis, batch: Batch, segmentBytes: Int32Array) => this.#receive(now, batch, segmentBytes),
      writable: (now: Millis) => user.writable(now),
    };
    this.socket = new RawSocket(loop, { version: v6 ? 6 : 4, ...socketOptions(settings) }, handler);
    this.outbox = new RawOutbox(this.core.seals.out, this.socket, counters, dropsOf(settings));
    try {
      this.#easy = raw.easy === true ? new EasyListener(loop, local, (limits ?? serverLimits).peers * 2) : undefined;
      this.#held = this.#easy ?? (settings.fanout?.first === false ? undefined : holdPort(loop, raw.mode, local.host, local.port));
    } catch (error) {
      this.socket.close();
      throw error;
    }
    const which = raw.mode === "icmp" ? { icmpType: echoType("client", v6) } : { port: local.port };
    this.socket.filter({ protocol: protocolOf(raw.mode, v6), ...which });
  }

  /** Once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    // What this round has brought goes out before a connection may become another.
    this.outbox.push(now);
    this.core.advance(now);
    this.#easy?.advance(now, this.core.peers);
    this.#tellClosed(now);
    while (!this.core.transmit(now, this.outbox.batch)) this.outbox.pushCore();
    this.outbox.pushCore();
    return this.core.deadline();
  }

  /** False: the kernel answers at the port as well. */
  get deaf(): boolean {
    return this.#held?.deaf ?? true;
  }

  close(): void {
    this.#held?.close();
    this.socket.close();
  }

  #receive(now: Millis, batch: Batch, segmentBytes: Int32Array): void {
    const { core, outbox } = this;
    const { bytes, view, start, end, peer } = batch;
    for (let i = 0; i < batch.length; i++) {
      if (outbox.batch.full) outbox.pushCore();
      core.receive(now, bytes, view, start[i]!, end[i]!, outbox.batch, segmentBytes[i]!, peer[i]!);
    }
    for (let found = core.next(now, bytes, view); found !== 0; found = core.next(now, bytes, view)) {
      if (found !== DATA) continue;
      const from = core.peer!;
      const { dataStart, dataEnd, conversation } = from.connection;
      this.#user.datagram(now, from, batch, dataStart, dataEnd, conversation);
    }
    outbox.pushCore();
    this.#tellClosed(now);
    this.#user.received(now);
    this.#loop.wake();
  }

  #tellClosed(now: Millis): void {
    for (let peer = this.core.closed(); peer !== undefined; peer = this.core.closed()) this.#user.closed(now, peer);
  }
}
