/**
 * A UDP socket on epoll: unconnected, batches in and out, segmentation by the kernel.
 *
 *   readable ─► inbox.receive, bounded work ─► handler.receive(batch)         udp-inbox.ts
 *   send(batch) ─► outbox.send ─► buffer full? watch EPOLLOUT ─► handler.writable               udp-outbox.ts
 *
 * A socket bound to all addresses asks the kernel which of them each datagram came for (PKTINFO) and answers from there. One bound to
 * "::" serves IPv4 as well, unless the address is a particular one.
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { AddressTable } from "./address.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, errnoName } from "./errno.ts";
import { EPOLLERR, EPOLLIN, EPOLLOUT, SOL_UDP, UDP_GRO } from "./linux-abi.ts";
import { newUdpCounters, type UdpHandler, type UdpOptions, type UdpSocket } from "./loop.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { setOption } from "./socket-option.ts";
import { openUdp } from "./udp-open.ts";

/** Tuning: calls and datagrams for one socket before others get their turn; the last call may bring more. */
const CALLS_PER_ROUND = 8;
const DATAGRAMS_PER_ROUND = 1024;

export class EpollUdpSocket implements UdpSocket, Pollable, Resource {
  readonly fd: number;
  readonly family: number;
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: AddressTable;
  readonly counters = newUdpCounters();
  readonly handler: UdpHandler;
  /** The kernel splits and joins datagrams for this socket. */
  readonly segments: boolean;
  readonly joins: boolean;
  open = true;
  readonly #reactor: Reactor;
  readonly #registration: Registration;
  #blocked = false;
  /** Told to the handler at the end of this round. */
  #unreachable: string | undefined;

  /** @throws HostError when the address cannot be bound */
  constructor(reactor: Reactor, options: UdpOptions, handler: UdpHandler) {
    const { sys } = reactor;
    this.#reactor = reactor;
    this.handler = handler;
    this.addresses = new AddressTable({ peersMax: options.peersMax });
    const { fd, family, segments, local } = openUdp(sys, options, true, reactor.sharePorts);
    this.fd = fd;
    this.family = family;
    this.segments = segments;
    this.local = local;
    this.joins = options.segmentation !== false && setOption(sys, fd, SOL_UDP, UDP_GRO, 1);
    try {
      this.#registration = reactor.epoll.add(this, EPOLLIN);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
    reactor.resources.add(this);
  }

  ready(events: number, now: Millis): void {
    if ((events & (EPOLLIN | EPOLLERR)) !== 0) {
      const { inbox } = this.#reactor;
      const enough = this.counters.receivedDatagrams + DATAGRAMS_PER_ROUND;
      for (let calls = CALLS_PER_ROUND; calls > 0 && this.counters.receivedDatagrams < enough && inbox.receive(this, now); calls--);
    }
    if ((events & EPOLLOUT) !== 0 && this.open && this.#blocked) {
      this.#blocked = false;
      this.#reactor.epoll.modify(this.#registration, EPOLLIN);
      this.handler.writable(now);
    }
  }

  send(batch: Batch, from: number): number {
    if (!this.open) return batch.length;
    const next = this.#reactor.outbox.send(this, batch, from);
    if (next < batch.length && !this.#blocked) {
      this.#blocked = true;
      this.#reactor.epoll.modify(this.#registration, EPOLLIN | EPOLLOUT);
    }
    return next;
  }

  failed(errno: number): void {
    if (this.handler.unreachable === undefined || this.#unreachable !== undefined) return;
    if (errno !== ECONNREFUSED && errno !== EHOSTUNREACH && errno !== ENETUNREACH) return;
    this.#unreachable = errnoName(errno);
    this.#reactor.later((now) => {
      const code = this.#unreachable!;
      this.#unreachable = undefined;
      if (this.open) this.handler.unreachable?.(now, code);
    });
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.open) return;
    this.open = false;
    this.#reactor.resources.delete(this);
    this.#reactor.epoll.remove(this.#registration);
    this.#reactor.sys.close(this.fd);
  }
}
