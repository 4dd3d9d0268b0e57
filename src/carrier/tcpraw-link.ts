/**
 * A tunnel's link to one server as kcptun's --tcp makes it: the kernel connects, then its socket is deaf and datagrams go as segments of that connection
 * (faketcp/segment-flow.ts). A server that is silent for long gets another connection.
 */
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { Arrival } from "../faketcp/arrival.ts";
import { TCP } from "../faketcp/ip-header.ts";
import { SegmentFlow } from "../faketcp/segment-flow.ts";
import { PSH } from "../faketcp/tcp-header.ts";
import type { Departure } from "../host/departure.ts";
import { HandshakeSocket, type HandshakeUser } from "../host/handshake-socket.ts";
import { addressBytes } from "../host/ip-address.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import { newUdpCounters } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { OnePeer } from "../host/one-peer.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { sourceAddress } from "../host/route.ts";
import { SegmentOutbox } from "./segment-outbox.ts";
import type { HostPort } from "./settings.ts";

export class TcprawLink implements Link, HandshakeUser {
  readonly local = { host: "::", port: 0 };
  readonly addresses: OnePeer;
  readonly counters = newUdpCounters();
  readonly #loop: EpollLoop;
  readonly #server: HostPort;
  readonly #log: Log;
  readonly #handler: LinkHandler;
  readonly #closed: (link: TcprawLink) => void;
  readonly #raw: RawSocket;
  readonly #outbox: SegmentOutbox;
  readonly #remote: Uint8Array;
  readonly #random: () => number;
  readonly #departure: Departure;
  readonly #arrival = new Arrival("faketcp", "server");
  #handshake: HandshakeSocket | undefined;
  #flow: SegmentFlow | undefined;
  #localPort = 0;
  #standing = false;
  #dialAt: Millis = 0;
  #giveUpAt: Millis = 0;
  #heardAt: Millis = 0;
  #arrived: Batch | undefined;

  /** @throws HostError when raw packets are not allowed */
  constructor(
    loop: EpollLoop,
    server: HostPort,
    options: { readonly socketBufferBytes?: number; readonly random: () => number; readonly departure?: Departure | undefined },
    log: Log,
    handler: LinkHandler,
    closed: (link: TcprawLink) => void,
  ) {
    this.#loop = loop;
    this.#server = server;
    this.#log = log;
    this.#handler = handler;
    this.#closed = closed;
    this.#random = options.random;
    this.#departure = options.departure ?? {};
    this.addresses = new OnePeer(server);
    this.#remote = addressBytes(server.host);
    const { socketBufferBytes: bufferBytes } = options;
    const { device } = this.#departure;
    const raw = {
      version: this.#remote.length === 4 ? 4 : 6,
      ...(bufferBytes === undefined ? {} : { bufferBytes }),
      ...(device === undefined ? {} : { device, sendsByDevice: true }),
    } as const;
    this.#raw = new RawSocket(loop, raw, {
      receive: (now, batch) => this.#receive(now, batch),
      writable: (now) => this.#writable(now),
    });
    this.#outbox = new SegmentOutbox(this.#raw, this.counters);
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    if (this.#standing) {
      if (now < this.#heardAt + SILENCE_MS) return this.#heardAt + SILENCE_MS;
      this.#log.warn({ server: this.addresses.format() }, "the server is silent: another TCP connection");
      this.#hangUp(now);
    } else if (this.#handshake !== undefined) {
      if (now < this.#giveUpAt) return this.#giveUpAt;
      this.#hangUp(now + RETRY_MS);
    }
    if (now >= this.#dialAt) this.#dial(now);
    return this.#handshake === undefined ? this.#dialAt : this.#giveUpAt;
  }

  takes(): boolean {
    return this.#standing;
  }

  send(batch: Batch, from: number): number {
    const flow = this.#flow;
    if (flow === undefined || !this.#standing) {
      this.counters.sendErrors += batch.length - from;
      return batch.length;
    }
    const now = this.#loop.now();
    this.counters.sendCalls++;
    for (let i = from; i < batch.length; i++) if (!this.#outbox.add(now, flow, batch.bytes, batch.start[i]!, batch.end[i]!)) return i;
    this.#outbox.push();
    return batch.length;
  }

  close(): void {
    this.#closed(this);
    this.#handshake?.close();
    this.#raw.close();
  }

  standing(now: Millis): void {
    this.#standing = true;
    this.#heardAt = now;
    this.#log.info({ server: this.addresses.format(), from: this.#localPort }, "TCP connection stands, its segments are ours now");
    this.#writable(now);
  }

  failed(now: Millis, code: string): void {
    this.#log.warn({ server: this.addresses.format(), reason: code }, "no TCP connection; trying again");
    this.#hangUp(now + RETRY_MS);
    this.#loop.wake();
  }

  #dial(now: Millis): void {
    this.#giveUpAt = now + HANDSHAKE_MS;
    try {
      const host = sourceAddress(this.#loop.sys, this.#server, this.#departure);
      const handshake = new HandshakeSocket(this.#loop, { ...this.#departure, host, port: 0 }, this);
      this.#handshake = handshake;
      this.#localPort = handshake.local.port;
      // Before the handshake, whose numbers the segments go on with.
      this.#raw.filter({ protocol: TCP, port: this.#localPort });
      const ends = { local: addressBytes(host), remote: this.#remote, localPort: this.#localPort, remotePort: this.#server.port };
      this.#flow = new SegmentFlow(ends, this.#random());
      handshake.connect(this.#server);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.failed(now, error.message);
    }
  }

  #hangUp(dialAt: Millis): void {
    this.#handshake?.close();
    this.#handshake = undefined;
    this.#standing = false;
    this.#dialAt = dialAt;
  }

  #receive(now: Millis, batch: Batch): void {
    const arrival = this.#arrival;
    this.#arrived ??= new Batch(64, batch.bytes);
    const arrived = this.#arrived;
    arrived.length = 0;
    for (let i = 0; i < batch.length; i++) {
      const ours =
        arrival.read(batch.bytes, batch.view, batch.start[i]!, batch.end[i]!) &&
        arrival.sourcePort === this.#server.port &&
        arrival.destinationPort === this.#localPort &&
        arrival.isFrom(batch.bytes, this.#remote);
      if (!ours) continue;
      const { start, end, tcp } = arrival;
      this.#flow?.received(tcp, end - start);
      if ((tcp.flags & PSH) === 0 || end === start) continue;
      arrived.add(start, end);
      this.counters.receivedDatagrams++;
      this.counters.receivedBytes += end - start;
    }
    this.counters.receiveCalls++;
    if (arrived.length === 0) return;
    this.#heardAt = now;
    this.#handler.receive(now, arrived);
    this.#loop.wake();
  }

  #writable(now: Millis): void {
    if (this.#standing && this.#outbox.push()) this.#handler.writable(now);
  }
}

/** Tuning. A kcptun's session says something every 10 s at least. */
const SILENCE_MS: Millis = 30_000;
const HANDSHAKE_MS: Millis = 10_000;
const RETRY_MS: Millis = 1_000;
