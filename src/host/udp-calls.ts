/**
 * A UDP socket on Node's event loop whose datagrams go by system calls: Node only tells that something can be read.
 *
 *   'message', the first datagram that waited ─► a round at once: handler.receive(it) ─► inbox.receive, what waited behind it
 *   send(batch) ─► outbox.send, segmented by the kernel ─► buffer full? handler.writable 1 ms later, because Node has no event for that
 *
 * Deviations from udp-mmsg.ts: the kernel does not join datagrams (Node would read them as one), and answers leave from the address that the route
 * chooses (the datagram that Node reads does not tell for which it came).
 */
import { createSocket, type Socket } from "node:dgram";
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { AddressTable } from "./address.ts";
import { AddressCache } from "./block.ts";
import { AF_INET6 } from "./linux-abi.ts";
import { newUdpCounters, type UdpHandler, type UdpOptions, type UdpSocket } from "./loop.ts";
import type { NodeReactor } from "./node-reactor.ts";
import type { Resource } from "./reactor.ts";
import type { Sys } from "./sys.ts";
import { UdpInbox } from "./udp-inbox.ts";
import { openUdp } from "./udp-open.ts";
import { UdpOutbox } from "./udp-outbox.ts";

/** Tuning: calls for one socket before others get their turn. */
const CALLS_PER_ROUND = 8;
const RETRY_MS: Millis = 1;
/** No datagram is longer. */
const DATAGRAM_BYTES = 65_536;

/** What the sockets of a loop share. */
export class UdpCalls {
  readonly sys: Sys;
  readonly inbox: UdpInbox;
  readonly outbox: UdpOutbox;

  constructor(sys: Sys) {
    this.sys = sys;
    const addresses = new AddressCache(sys);
    this.inbox = new UdpInbox(sys, addresses);
    this.outbox = new UdpOutbox(sys, addresses);
  }
}

export class CallsUdpSocket implements UdpSocket, Resource {
  readonly fd: number;
  readonly family: number;
  readonly segments: boolean;
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: AddressTable;
  readonly counters = newUdpCounters();
  readonly handler: UdpHandler;
  open = true;
  readonly #reactor: NodeReactor;
  readonly #calls: UdpCalls;
  readonly #socket: Socket;
  readonly #first = new Batch(1, new Uint8Array(DATAGRAM_BYTES));
  #retry: NodeJS.Timeout | undefined;

  /** @throws HostError when the address cannot be bound */
  constructor(reactor: NodeReactor, calls: UdpCalls, options: UdpOptions, handler: UdpHandler) {
    this.#reactor = reactor;
    this.#calls = calls;
    this.handler = handler;
    this.addresses = new AddressTable({ peersMax: options.peersMax });
    const { fd, family, segments, local } = openUdp(calls.sys, options, false);
    this.fd = fd;
    this.family = family;
    this.segments = segments;
    this.local = local;
    this.#socket = createSocket(family === AF_INET6 ? "udp6" : "udp4");
    // What an ICMP message said of a datagram sent earlier.
    this.#socket.on("error", () => this.counters.sendErrors++);
    this.#socket.on("message", (bytes, from) => this.#message(bytes, from.address, from.port));
    this.#socket.bind({ fd, exclusive: true });
    reactor.resources.add(this);
  }

  send(batch: Batch, from: number): number {
    if (!this.open) return batch.length;
    const next = this.#calls.outbox.send(this, batch, from);
    if (next < batch.length) this.#retry ??= setTimeout(() => this.#again(), RETRY_MS);
    return next;
  }

  /** Sockets here are not connected: an error is about nobody in particular. */
  failed(): void {}

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.open) return;
    this.open = false;
    clearTimeout(this.#retry);
    this.#reactor.resources.delete(this);
    // Closes the descriptor too.
    this.#socket.close();
  }

  #again(): void {
    this.#retry = undefined;
    this.#reactor.later((now) => {
      if (this.open) this.handler.writable(now);
    });
  }

  #message(bytes: Uint8Array, host: string, port: number): void {
    if (!this.open) return;
    const batch = this.#first;
    this.addresses.turn();
    const peer = this.addresses.intern(host, port);
    if (peer < 0) this.counters.receiveDropped++;
    else {
      batch.bytes.set(bytes);
      batch.start[0] = 0;
      batch.end[0] = bytes.length;
      batch.peer[0] = peer;
      batch.length = 1;
      this.counters.receivedDatagrams++;
      this.counters.receivedBytes += bytes.length;
    }
    this.#reactor.later((now) => this.#receive(now));
    this.#reactor.round();
  }

  #receive(now: Millis): void {
    const { inbox } = this.#calls;
    if (this.open && this.#first.length > 0) this.handler.receive(now, this.#first);
    this.#first.length = 0;
    for (let calls = CALLS_PER_ROUND; calls > 0 && this.open && inbox.receive(this, now); calls--);
  }
}
