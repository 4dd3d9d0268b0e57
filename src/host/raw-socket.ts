/**
 * Whole IP packets in and out, past the kernel's TCP: what carriers are made of. Needs CAP_NET_RAW.
 *
 *   in    AF_PACKET, SOCK_DGRAM: every packet that arrives and passes the filter, from its IP header on
 *   out   AF_INET or AF_INET6, SOCK_RAW, IPPROTO_RAW: packets with their headers; the kernel routes them
 *
 * Batches of up to 64 both ways. Packets longer than a slot of the slab are those that the kernel (GRO) merged: counted and dropped.
 *
 * Source: packet(7), raw(7); reference udp2raw.md sections 7, 8 and 13.
 */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { takeRegion } from "../kernel/kernels.ts";
import { type AddressCache, Block, writePointer } from "./block.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { EAGAIN, EINTR, EPERM } from "./errno.ts";
import {
  AF_INET,
  AF_INET6,
  AF_PACKET,
  EPOLLERR,
  EPOLLIN,
  EPOLLOUT,
  ETH_P_IP,
  ETH_P_IPV6,
  IPPROTO_RAW,
  MSG_DONTWAIT,
  MSG_TRUNC,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "./linux-abi.ts";
import * as message from "./message.ts";
import { NOTHING, type PacketFilter, packetFilter } from "./packet-filter.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { attachFilter } from "./socket-filter.ts";
import { setBufferBytes } from "./socket-option.ts";
import { hostError } from "./sys.ts";

export interface RawSocketOptions {
  readonly version: 4 | 6;
  /** Bytes of the kernel's buffers, both ways; default 1 MiB. */
  readonly bufferBytes?: number;
}

export interface RawHandler {
  /** IP packets, borrowed until it returns; may be changed in place. */
  receive(now: Millis, batch: Batch): void;
  /** Packets can be sent again after `send` did not take all. */
  writable(now: Millis): void;
}

export interface RawCounters {
  receivedPackets: number;
  receiveCalls: number;
  /** Longer than a slot: merged by the kernel. */
  receiveMerged: number;
  sentPackets: number;
  sendCalls: number;
  /** Refused by the kernel: no route, too long for the path, a rule of the firewall. */
  sendErrors: number;
}

export class RawSocket implements Pollable, Resource {
  /** Of receiving: the one that is watched. */
  readonly fd: number;
  readonly counters: RawCounters = { receivedPackets: 0, receiveCalls: 0, receiveMerged: 0, sentPackets: 0, sendCalls: 0, sendErrors: 0 };
  readonly #reactor: Reactor;
  readonly #handler: RawHandler;
  readonly #version: 4 | 6;
  readonly #batch: Batch;
  readonly #incoming: Messages;
  readonly #outgoing: Messages;
  readonly #registration: Registration;
  readonly #sender: Sender;
  #open = true;

  /** @throws HostError: EPERM says how the capability is given */
  constructor(reactor: Reactor, options: RawSocketOptions, handler: RawHandler) {
    const { sys } = reactor;
    const { version, bufferBytes = 1_048_576 } = options;
    this.#reactor = reactor;
    this.#handler = handler;
    this.#version = version;
    this.#batch = new Batch(BATCH_PACKETS, takeRegion(BATCH_PACKETS * SLOT_BYTES));
    const slab = reactor.buffers.of(this.#batch.bytes);
    this.#incoming = new Messages(reactor);
    for (let i = 0; i < BATCH_PACKETS; i++) this.#incoming.point(i, slab + this.#batch.slot(i), SLOT_BYTES);
    this.#outgoing = new Messages(reactor, version === 4 ? AF_INET : AF_INET6);
    const protocol = version === 4 ? ETH_P_IP : ETH_P_IPV6;
    // In network order, as packet(7) wants it.
    this.fd = open(reactor, AF_PACKET, SOCK_DGRAM, ((protocol & 0xff) << 8) | (protocol >> 8));
    const out = open(reactor, version === 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_RAW, this.fd);
    setBufferBytes(sys, this.fd, bufferBytes);
    setBufferBytes(sys, out, bufferBytes);
    attachFilter(sys, this.fd, NOTHING);
    this.#registration = reactor.epoll.add(this, EPOLLIN);
    this.#sender = new Sender(reactor, out, handler);
    reactor.resources.add(this);
  }

  /** Lets through what this describes from now on, and nothing that was waiting. */
  filter(wanted: Omit<PacketFilter, "version">): void {
    const { sys } = this.#reactor;
    attachFilter(sys, this.fd, NOTHING);
    // What came before belongs to nobody; bounded, as nothing more comes in.
    while (this.#call() > 0);
    attachFilter(sys, this.fd, packetFilter({ ...wanted, version: this.#version }));
  }

  ready(events: number, now: Millis): void {
    if ((events & (EPOLLIN | EPOLLERR)) === 0) return;
    for (let calls = CALLS_PER_ROUND; calls > 0 && this.#open; calls--) {
      const count = this.#call();
      if (count > 0) this.#hand(count, now);
      if (count < BATCH_PACKETS) return;
    }
  }

  /** Sends the packets from…length−1; answers the index of the first not taken because the buffer is full. They go where their headers say. */
  send(batch: Batch, from: number): number {
    if (!this.#open) return batch.length;
    const base = this.#reactor.buffers.of(batch.bytes);
    const { counters } = this;
    let next = from;
    while (next < batch.length) {
      const count = Math.min(batch.length - next, BATCH_PACKETS);
      for (let i = 0; i < count; i++) {
        const start = batch.start[next + i]!;
        this.#outgoing.point(i, base + start, batch.end[next + i]! - start);
        this.#outgoing.address(i, batch.bytes, start + (this.#version === 4 ? IPV4_DESTINATION : IPV6_DESTINATION));
      }
      counters.sendCalls++;
      const sent = this.#reactor.sys.sendmmsg(this.#sender.fd, this.#outgoing.headers, count, MSG_DONTWAIT);
      if (sent > 0) {
        counters.sentPackets += sent;
        next += sent;
        continue;
      }
      const errno = this.#reactor.sys.errno();
      if (errno === EAGAIN) {
        this.#sender.wait();
        return next;
      }
      if (errno === EINTR) continue;
      counters.sendErrors++;
      next++;
    }
    return next;
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    this.#reactor.epoll.remove(this.#registration);
    this.#sender.close();
    this.#reactor.sys.close(this.fd);
  }

  #call(): number {
    this.counters.receiveCalls++;
    this.#incoming.rearm();
    return this.#reactor.sys.recvmmsg(this.fd, this.#incoming.headers, BATCH_PACKETS, MSG_DONTWAIT | MSG_TRUNC, 0);
  }

  #hand(count: number, now: Millis): void {
    const batch = this.#batch;
    batch.length = 0;
    for (let i = 0; i < count; i++) {
      const length = this.#incoming.length(i);
      if (length > SLOT_BYTES) {
        this.counters.receiveMerged++;
        continue;
      }
      batch.add(batch.slot(i), batch.slot(i) + length);
    }
    this.counters.receivedPackets += batch.length;
    if (batch.length > 0) this.#handler.receive(now, batch);
  }
}

/** The socket for sending, watched only while it is full. */
class Sender implements Pollable {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #handler: RawHandler;
  readonly #registration: Registration;

  constructor(reactor: Reactor, fd: number, handler: RawHandler) {
    this.fd = fd;
    this.#reactor = reactor;
    this.#handler = handler;
    this.#registration = reactor.epoll.add(this, 0);
  }

  wait(): void {
    this.#reactor.epoll.modify(this.#registration, EPOLLOUT);
  }

  ready(events: number, now: Millis): void {
    if ((events & EPOLLOUT) === 0) return;
    this.#reactor.epoll.modify(this.#registration, 0);
    this.#handler.writable(now);
  }

  close(): void {
    this.#reactor.epoll.remove(this.#registration);
    this.#reactor.sys.close(this.fd);
  }
}

/** Headers of recvmmsg and sendmmsg for one buffer each, with an address where they are to be sent. */
class Messages {
  readonly headers: number;
  readonly #headers: Block;
  readonly #vectors: Block;
  readonly #names: Block;

  constructor({ sys }: { readonly sys: Reactor["sys"]; readonly buffers: AddressCache }, family?: number) {
    this.#headers = new Block(sys, BATCH_PACKETS * message.MMSGHDR_WORDS * 4);
    this.#vectors = new Block(sys, BATCH_PACKETS * message.IOVEC_WORDS * 4);
    this.#names = new Block(sys, BATCH_PACKETS * NAME_BYTES);
    this.headers = this.#headers.address;
    for (let i = 0; i < BATCH_PACKETS; i++) {
      const at = i * message.MMSGHDR_WORDS;
      const { words } = this.#headers;
      writePointer(words, at + message.IOV, this.#vectors.address + i * message.IOVEC_WORDS * 4);
      words[at + message.IOV_LENGTH] = 1;
      if (family === undefined) continue;
      writePointer(words, at + message.NAME, this.#names.address + i * NAME_BYTES);
      words[at + message.NAME_LENGTH] = family === AF_INET ? 16 : 28;
      this.#names.view.setUint16(i * NAME_BYTES, family, true);
    }
  }

  point(i: number, address: number, length: number): void {
    const at = i * message.IOVEC_WORDS;
    writePointer(this.#vectors.words, at, address);
    this.#vectors.words[at + message.IOVEC_LENGTH] = length;
  }

  /** Where message i goes: the address at bytes[at…). */
  address(i: number, bytes: Uint8Array, at: number): void {
    const name = i * NAME_BYTES;
    const four = this.#names.view.getUint16(name, true) === AF_INET;
    const to = name + (four ? 4 : 8);
    for (let k = 0; k < (four ? 4 : 16); k++) this.#names.bytes[to + k] = bytes[at + k]!;
  }

  length(i: number): number {
    return this.#headers.words[i * message.MMSGHDR_WORDS + message.MESSAGE_LENGTH]!;
  }

  rearm(): void {
    for (let i = 0; i < BATCH_PACKETS; i++) this.#headers.words[i * message.MMSGHDR_WORDS + message.FLAGS] = 0;
  }
}

/** `close`: a descriptor that is closed when this one cannot be had. */
function open({ sys }: Reactor, family: number, type: number, protocol: number, close = -1): number {
  const fd = sys.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd >= 0) return fd;
  const permitted = sys.errno() !== EPERM;
  const error = hostError(sys, "socket", "raw packets");
  if (close >= 0) sys.close(close);
  throw permitted ? error : new HostError("EPERM", "socket", GRANT);
}

const GRANT =
  "raw packets need the capability CAP_NET_RAW: run as root, or grant it: setcap cap_net_raw+ep on the node executable, AmbientCapabilities=CAP_NET_RAW in a systemd unit";
/** Tuning. */
const BATCH_PACKETS = 64;
const CALLS_PER_ROUND = 8;
const NAME_BYTES = 32;
const IPV4_DESTINATION = 16;
const IPV6_DESTINATION = 24;
