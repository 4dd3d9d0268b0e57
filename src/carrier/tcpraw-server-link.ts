/**
 * A tunnel server's link of kcptun's --tcp: the kernel takes TCP connections, each is deaf from then on, and the segments of its flow are datagrams
 * (faketcp/segment-flow.ts). Segments of flows without such a connection are nobody's.
 */
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { Arrival } from "../faketcp/arrival.ts";
import { TCP } from "../faketcp/ip-header.ts";
import { SegmentFlow } from "../faketcp/segment-flow.ts";
import { PSH } from "../faketcp/tcp-header.ts";
import { AddressTable, PORT_WORD } from "../host/address.ts";
import { dualStack } from "../host/dual-stack.ts";
import { muteTcp } from "../host/handshake-socket.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import { type Listener, newUdpCounters, type TcpHandler, type TcpSocket } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import type { EpollTcpSocket } from "../host/tcp-epoll.ts";
import { SegmentOutbox } from "./segment-outbox.ts";
import type { HostPort } from "./settings.ts";
import { whereOf } from "./tcp-server-link.ts";

/** Raw packets are of one family. */
interface Side {
  readonly raw: RawSocket;
  readonly outbox: SegmentOutbox;
  arrived: Batch | undefined;
}

interface Flow {
  readonly segments: SegmentFlow;
  readonly side: Side;
  /** The kernel's connection, once it has been taken. */
  socket: TcpSocket | undefined;
  heardAt: Millis;
}

/** Mark of a peer in the AddressTable: its flow is the one at its id. */
const HAS_FLOW = 1;

export class TcprawServerLink implements Link {
  readonly local: HostPort;
  readonly addresses: AddressTable;
  readonly counters = newUdpCounters();
  /** Connections that were refused because so many are known. */
  connectionLimitHits = 0;
  readonly #loop: EpollLoop;
  readonly #handler: LinkHandler;
  readonly #closed: (link: TcprawServerLink) => void;
  readonly #random: () => number;
  readonly #sides: Side[] = [];
  readonly #listener: Listener;
  readonly #arrival = new Arrival("faketcp", "client");
  readonly #key: Uint8Array;
  readonly #flows: (Flow | undefined)[] = [];
  #connections = 0;
  readonly #peersMax: number;
  #blocked = false;
  #sweepAt: Millis = 0;

  /** `at`: "::" is both families. @throws HostError when the address cannot be had or raw packets are not allowed */
  constructor(
    loop: EpollLoop,
    at: HostPort,
    options: { readonly socketBufferBytes?: number; readonly peersMax: number; readonly random: () => number },
    handler: LinkHandler,
    closed: (link: TcprawServerLink) => void,
  ) {
    const { peersMax, random } = options;
    this.#loop = loop;
    this.#handler = handler;
    this.#closed = closed;
    this.#random = random;
    this.#peersMax = peersMax;
    this.local = at;
    this.addresses = new AddressTable({ peersMax });
    this.#key = new Uint8Array(this.addresses.key.buffer);
    try {
      if (ipFamily(at.host) === 4 || at.host === "::") this.#open(4, options.socketBufferBytes);
      if (ipFamily(at.host) === 6) dualStack(at.host, (host) => host === at.host && this.#open(6, options.socketBufferBytes));
      this.#listener = loop.listen(at, (socket, now) => this.#accept(socket, now));
    } catch (error) {
      for (const { raw } of this.#sides) raw.close();
      throw error;
    }
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      for (let id = 0; id < this.#flows.length; id++) {
        const flow = this.#flows[id];
        if (flow?.socket !== undefined && now - flow.heardAt >= IDLE_MS) this.#hangUp(flow);
      }
    }
    return this.#connections > 0 ? this.#sweepAt : Number.POSITIVE_INFINITY;
  }

  send(batch: Batch, from: number): number {
    const now = this.#loop.now();
    this.counters.sendCalls++;
    for (let i = from; i < batch.length; i++) {
      const flow = this.#flows[batch.peer[i]!];
      if (flow === undefined || flow.socket === undefined) {
        this.counters.sendErrors++;
        continue;
      }
      if (!flow.side.outbox.add(now, flow.segments, batch.bytes, batch.start[i]!, batch.end[i]!)) {
        this.#blocked = true;
        return i;
      }
    }
    for (let i = 0; i < this.#sides.length; i++) this.#sides[i]!.outbox.push();
    return batch.length;
  }

  close(): void {
    this.#closed(this);
    this.#listener.close();
    for (const flow of this.#flows) if (flow !== undefined) this.#hangUp(flow);
    for (const { raw } of this.#sides) raw.close();
  }

  #open(version: 4 | 6, bufferBytes: number | undefined): void {
    const handler = {
      receive: (now: Millis, batch: Batch) => this.#receive(now, side, batch),
      writable: (now: Millis) => this.#writable(now),
    };
    const raw = new RawSocket(this.#loop, { version, ...(bufferBytes === undefined ? {} : { bufferBytes }) }, handler);
    const side: Side = { raw, outbox: new SegmentOutbox(raw, this.counters), arrived: undefined };
    raw.filter({ protocol: TCP, port: this.local.port });
    this.#sides.push(side);
  }

  #receive(now: Millis, side: Side, batch: Batch): void {
    const { bytes, view } = batch;
    const arrival = this.#arrival;
    side.arrived ??= new Batch(64, bytes);
    const { arrived } = side;
    arrived.length = 0;
    this.addresses.turn();
    for (let i = 0; i < batch.length; i++) {
      if (!arrival.read(bytes, view, batch.start[i]!, batch.end[i]!) || arrival.destinationPort !== this.local.port) continue;
      const id = this.#peerOf(bytes);
      if (id < 0) {
        this.counters.receiveDropped++;
        continue;
      }
      const { start, end, tcp } = arrival;
      const flow = this.#flowOf(now, id, side, bytes);
      flow.segments.received(tcp, end - start);
      flow.heardAt = now;
      if ((tcp.flags & PSH) === 0 || end === start || flow.socket === undefined) continue;
      arrived.add(start, end, id);
      this.counters.receivedDatagrams++;
      this.counters.receivedBytes += end - start;
    }
    this.counters.receiveCalls++;
    if (arrived.length > 0) this.#handler.receive(now, arrived);
    this.#loop.wake();
  }

  /** Id of the packet's sender. */
  #peerOf(bytes: Uint8Array): number {
    const { sourceAt, addressBytes } = this.#arrival.ip;
    const { sourcePort } = this.#arrival;
    const key = this.#key;
    this.addresses.key.fill(0);
    if (addressBytes === 4) {
      key[10] = 0xff;
      key[11] = 0xff;
    }
    for (let i = 0; i < addressBytes; i++) key[16 - addressBytes + i] = bytes[sourceAt + i]!;
    key[PORT_WORD * 4] = sourcePort >>> 8;
    key[PORT_WORD * 4 + 1] = sourcePort & 0xff;
    return this.addresses.internKey();
  }

  #flowOf(now: Millis, id: number, side: Side, bytes: Uint8Array): Flow {
    const known = this.#flows[id];
    if (known !== undefined && this.addresses.mark(id) === HAS_FLOW) return known;
    if (known !== undefined) this.#hangUp(known);
    const { ip, sourcePort, destinationPort } = this.#arrival;
    const ends = {
      local: bytes.slice(ip.destinationAt, ip.destinationAt + ip.addressBytes),
      remote: bytes.slice(ip.sourceAt, ip.sourceAt + ip.addressBytes),
      ...{ localPort: destinationPort, remotePort: sourcePort },
    };
    const made: Flow = { segments: new SegmentFlow(ends, this.#random()), side, socket: undefined, heardAt: now };
    this.#flows[id] = made;
    this.addresses.setMark(id, HAS_FLOW);
    return made;
  }

  /** The kernel has finished a handshake, whose packets have made the flow. */
  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    const { host, port } = whereOf(socket.remote);
    const id = this.addresses.intern(host, port);
    const flow = id >= 0 && this.addresses.mark(id) === HAS_FLOW ? this.#flows[id] : undefined;
    if (flow === undefined || this.#connections >= this.#peersMax) {
      this.connectionLimitHits++;
      return undefined;
    }
    if (flow.socket === undefined) this.#connections++;
    else flow.socket.reset();
    muteTcp(this.#loop.sys, (socket as EpollTcpSocket).fd);
    flow.socket = socket;
    flow.heardAt = now;
    this.#loop.wake();
    const nothing = (): void => undefined;
    return { connected: nothing, readable: nothing, writable: nothing, closed: () => this.#gone(flow, socket) };
  }

  #gone(flow: Flow, socket: TcpSocket): void {
    if (flow.socket !== socket) return;
    flow.socket = undefined;
    this.#connections--;
  }

  #hangUp(flow: Flow): void {
    const { socket } = flow;
    if (socket === undefined) return;
    this.#gone(flow, socket);
    socket.reset();
  }

  #writable(now: Millis): void {
    let empty = true;
    for (const { outbox } of this.#sides) if (!outbox.push()) empty = false;
    if (!empty || !this.#blocked) return;
    this.#blocked = false;
    this.#handler.writable(now);
  }
}

/** As the original's. */
const IDLE_MS: Millis = 60_000;
const SWEEP_MS: Millis = 5_000;
