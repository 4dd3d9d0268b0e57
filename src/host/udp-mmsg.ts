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
import { Block } from "./block.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { isUnspecified } from "./ip-address.ts";
import {
  AF_INET6,
  EPOLLERR,
  EPOLLIN,
  EPOLLOUT,
  IP_PKTINFO,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_UDP,
  UDP_GRO,
  UDP_SEGMENT,
} from "./linux-abi.ts";
import { newUdpCounters, type UdpHandler, type UdpOptions, type UdpSocket } from "./loop.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { familyOf, nameOf, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "./sockaddr.ts";
import { setBufferBytes, setOption } from "./socket-option.ts";
import { hostError } from "./sys.ts";

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

  /** @throws HostError when the address cannot be bound */
  constructor(reactor: Reactor, options: UdpOptions, handler: UdpHandler) {
    const { sys } = reactor;
    this.#reactor = reactor;
    this.handler = handler;
    this.addresses = new AddressTable({ peersMax: options.peersMax });
    this.family = familyOf(options);
    this.fd = sys.socket(this.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw hostError(sys, "socket", nameOf(options));
    try {
      this.#configure(options);
      this.segments = setOption(sys, this.fd, SOL_UDP, UDP_SEGMENT, 0);
      this.joins = setOption(sys, this.fd, SOL_UDP, UDP_GRO, 1);
      this.local = this.#bind(options);
      this.#registration = reactor.epoll.add(this, EPOLLIN);
    } catch (error) {
      sys.close(this.fd);
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

  #configure(options: UdpOptions): void {
    const { sys } = this.#reactor;
    const six = this.family === AF_INET6;
    const wildcard = isUnspecified(options.host);
    if (options.socketBufferBytes) setBufferBytes(sys, this.fd, options.socketBufferBytes);
    if (options.dscp) {
      // A dual-stack socket sends IPv4 with the one and IPv6 with the other.
      const tos = options.dscp << 2;
      if (!setOption(sys, this.fd, IPPROTO_IP, IP_TOS, tos)) throw hostError(sys, "setsockopt", `dscp ${options.dscp}`);
      if (six) setOption(sys, this.fd, IPPROTO_IPV6, IPV6_TCLASS, tos);
    }
    if (wildcard && six) {
      setOption(sys, this.fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
      setOption(sys, this.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    } else if (wildcard) setOption(sys, this.fd, IPPROTO_IP, IP_PKTINFO, 1);
  }

  #bind(options: UdpOptions): { host: string; port: number } {
    const { sys } = this.#reactor;
    const name = new Block(sys, SOCKADDR_BYTES + 8);
    if (sys.bind(this.fd, name.address, writeSockaddr(name, options)) < 0) throw hostError(sys, "bind", nameOf(options));
    name.words[SOCKADDR_BYTES >> 2] = SOCKADDR_BYTES;
    if (sys.getsockname(this.fd, name.address, name.address + SOCKADDR_BYTES) < 0) throw hostError(sys, "getsockname", nameOf(options));
    return readSockaddr(name);
  }
}
