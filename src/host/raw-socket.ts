/**
 * Whole IP packets in and out, past the kernel's TCP: what carriers are made of. Needs CAP_NET_RAW.
 *
 *   in    AF_PACKET, SOCK_RAW: every packet that arrives and passes the filter, merged ones included (raw-inbox.ts)
 *   out   by the routing table (raw-route-sender.ts); or by the link (raw-link-sender.ts): as the routing table would, where nothing else stands between
 *         (direct-ways.ts), or to where the peer's packets come from
 *
 * Source: packet(7), raw(7); reference udp2raw.md sections 7, 8 and 13.
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { Block } from "./block.ts";
import { bindToDevice } from "./departure.ts";
import { DirectWays } from "./direct-ways.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { EPERM } from "./errno.ts";
import { LinkTable } from "./link-table.ts";
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
  PACKET_FANOUT,
  PACKET_FANOUT_DATA,
  PACKET_VNET_HDR,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
} from "./linux-abi.ts";
import { hardwareAddress, interfaceIndex } from "./network-interface.ts";
import { NOTHING, type PacketFilter, packetFilter, spreadByPort } from "./packet-filter.ts";
import { PACKETS, RawInbox, type RawInboxCounters } from "./raw-inbox.ts";
import { MERGE, RawLinkSender } from "./raw-link-sender.ts";
import { RawRouteSender } from "./raw-route-sender.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { attachFilter } from "./socket-filter.ts";
import { getOption, setBufferBytes, setOption } from "./socket-option.ts";
import { hostError, type Sys } from "./sys.ts";

export interface RawSocketOptions {
  readonly version: 4 | 6;
  /** Bytes of the kernel's buffers, both ways; default 1 MiB. */
  readonly bufferBytes?: number;
  /** Receives what comes by this interface only. */
  readonly device?: string;
  /** And sends by it only, by the routing table. */
  readonly sendsByDevice?: boolean;
  /**
   * How packets leave. Default: as the routing table says, by the link itself wherever no rule is passed by so. "route": by the routing table, always. Past
   * routing and firewall: "auto", by where the peer's come from, once that is known; or by an interface to a hardware address.
   */
  readonly lowerLevel?: LowerLevel;
  /** Buffers of that size or an error. */
  readonly forceBuffers?: boolean;
  readonly fanout?: Fanout;
}

/** Threads that share the packets: those of one sender port, modulo 64, come to the same one. */
export interface Fanout {
  /** 0…65,535, the same for all of them and no others in this network namespace. */
  readonly group: number;
  /** The first holds the port. */
  readonly first: boolean;
}

export type LowerLevel = "auto" | "route" | { readonly device: string; readonly mac: Uint8Array };

export interface RawHandler {
  /**
   * IP packets, borrowed until it returns; may be changed in place. peer[i] is where packet i came from, to be put into the peer[i] of packets that go back
   * there, 0 unless lowerLevel is "auto"; segmentBytes[i]: payload bytes of each of the packets that the kernel has merged into it, 0 when it is one.
   */
  receive(now: Millis, batch: Batch, segmentBytes: Int32Array): void;
  /** Packets can be sent again after `send` did not take all. */
  writable(now: Millis): void;
}

export interface RawCounters extends RawInboxCounters {
  receivedPackets: number;
  sentPackets: number;
  /** Packets that left in the same message as the one before. */
  sentMerged: number;
  sendCalls: number;
  /** Refused by the kernel: no route, too long for the path, a rule of the firewall. */
  sendErrors: number;
  /** Packets that left by the link itself. */
  sentByLink: number;
}

export { MERGE };

export class RawSocket implements Pollable, Resource {
  /** Of receiving: the one that is watched. */
  readonly fd: number;
  readonly counters: RawCounters = {
    receivedPackets: 0,
    receiveCalls: 0,
    receiveMerged: 0,
    receiveCut: 0,
    sentPackets: 0,
    sentMerged: 0,
    sendCalls: 0,
    sendErrors: 0,
    sentByLink: 0,
  };
  readonly #reactor: Reactor;
  readonly #handler: RawHandler;
  readonly #version: 4 | 6;
  readonly #inbox: RawInbox;
  readonly #places = new LinkTable();
  readonly #learns: boolean;
  /** Place of packets that say none; 0: by route. */
  readonly #place: number;
  readonly #registration: Registration;
  readonly #byRoute: Sender<RawRouteSender>;
  readonly #byLink: Sender<RawLinkSender> | undefined;
  readonly #direct: DirectWays | undefined;
  #open = true;

  /** @throws HostError: EPERM says how the capability is given */
  constructor(reactor: Reactor, options: RawSocketOptions, handler: RawHandler) {
    const { sys } = reactor;
    const { version, bufferBytes = 1_048_576, device, sendsByDevice = false, forceBuffers = false } = options;
    const lowerLevel = sendsByDevice ? "route" : options.lowerLevel;
    this.#reactor = reactor;
    this.#handler = handler;
    this.#version = version;
    this.#inbox = RawInbox.of(reactor);
    this.#learns = lowerLevel === "auto";
    const opened: number[] = [];
    const made = (family: number, protocol: number): number => {
      opened.push(open(reactor, family, protocol));
      const fd = opened.at(-1)!;
      setBufferBytes(sys, fd, bufferBytes);
      if (forceBuffers && !hasBuffers(sys, fd, bufferBytes))
        throw new HostError(
          "EPERM",
          "setsockopt",
          `buffers of ${bufferBytes} bytes, which need CAP_NET_ADMIN or a higher net.core.rmem_max and wmem_max`,
        );
      return fd;
    };
    try {
      this.fd = made(AF_PACKET, 0);
      attachFilter(sys, this.fd, NOTHING);
      withVnet(reactor, this.fd);
      this.#bind(device === undefined ? 0 : interfaceIndex(device));
      if (options.fanout !== undefined) joinFanout(sys, this.fd, options.fanout.group);
      const routed = made(version === 4 ? AF_INET : AF_INET6, IPPROTO_RAW);
      if (sendsByDevice && device !== undefined) bindToDevice(sys, routed, device);
      this.#byRoute = new Sender(reactor, handler, new RawRouteSender(reactor, version, routed));
      if (lowerLevel === undefined) this.#direct = new DirectWays(reactor, version, this.#places);
      if (lowerLevel !== "route") {
        const fd = made(AF_PACKET, 0);
        withVnet(reactor, fd);
        this.#byLink = new Sender(reactor, handler, new RawLinkSender(reactor, version, fd, this.#places));
      }
      this.#place = typeof lowerLevel === "object" ? this.#fixedPlace(lowerLevel) : 0;
      this.#registration = reactor.epoll.add(this, EPOLLIN);
    } catch (error) {
      for (const fd of opened) sys.close(fd);
      throw error;
    }
    reactor.resources.add(this);
  }

  /** Lets through what this describes from now on, and nothing that was waiting. */
  filter(wanted: Omit<PacketFilter, "version">): void {
    const { sys } = this.#reactor;
    attachFilter(sys, this.fd, NOTHING);
    // What came before belongs to nobody; bounded, as nothing more comes in.
    while (this.#inbox.receive(this.fd, this.counters) > 0);
    attachFilter(sys, this.fd, packetFilter({ ...wanted, version: this.#version }));
  }

  ready(events: number, now: Millis): void {
    if ((events & (EPOLLIN | EPOLLERR)) === 0) return;
    const { batch, segmentBytes } = this.#inbox;
    for (let calls = CALLS_PER_ROUND; calls > 0 && this.#open; calls--) {
      const count = this.#inbox.receive(this.fd, this.counters);
      this.counters.receivedPackets += batch.length;
      this.#findPlaces(batch);
      if (batch.length > 0) this.#handler.receive(now, batch, segmentBytes);
      if (count < PACKETS) return;
    }
  }

  /**
   * Sends the packets from…length−1; answers the index of the first not taken because the buffer is full. peer[i]: the place packet i goes to, as `receive`
   * told it, or 0; with MERGE the peer takes packets apart that were merged. Their headers may be changed.
   */
  send(batch: Batch, from: number): number {
    if (!this.#open) return batch.length;
    const { peer } = batch;
    if (this.#place !== 0) for (let i = from; i < batch.length; i++) peer[i] = this.#place | (peer[i]! & MERGE);
    if (this.#direct !== undefined) this.#choose(this.#direct, batch, from);
    for (let next = from; next < batch.length; ) {
      const byLink = (peer[next]! & ~MERGE) !== 0 ? this.#byLink : undefined;
      let until = next + 1;
      while (until < batch.length && ((peer[until]! & ~MERGE) !== 0) === (byLink !== undefined)) until++;
      next = (byLink ?? this.#byRoute).send(batch, next, until, this.counters);
      if (next < until) return next;
    }
    return batch.length;
  }

  #choose(direct: DirectWays, batch: Batch, from: number): void {
    const { peer } = batch;
    for (let i = from; i < batch.length; i++) if ((peer[i]! & ~MERGE) === 0) peer[i] = direct.placeOf(batch, i) | peer[i]!;
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    this.#reactor.epoll.remove(this.#registration);
    this.#byRoute.close();
    this.#byLink?.close();
    this.#direct?.close();
    this.#reactor.sys.close(this.fd);
  }

  #findPlaces({ bytes, start, peer, length }: Batch): void {
    const inbox = this.#inbox;
    for (let i = 0; i < length; i++) {
      const linkBytes = inbox.linkBytesOf(peer[i]!);
      peer[i] = this.#learns ? this.#places.learn(inbox.interfaceOf(peer[i]!), bytes, start[i]! - linkBytes, linkBytes) : 0;
    }
  }

  #fixedPlace({ device, mac }: Exclude<LowerLevel, string>): number {
    return this.#places.fixed(interfaceIndex(device), this.#version, mac, hardwareAddress(device));
  }

  /** From now on packets of the version come, by all interfaces (0) or one. */
  #bind(index: number): void {
    const { sys } = this.#reactor;
    const name = new Block(sys, SOCKADDR_LL_BYTES);
    name.view.setUint16(0, AF_PACKET, true);
    name.view.setUint16(2, this.#version === 4 ? ETH_P_IP : ETH_P_IPV6);
    name.view.setInt32(4, index, true);
    if (sys.bind(this.fd, name.address, SOCKADDR_LL_BYTES) < 0) throw hostError(sys, "bind", "raw packets");
  }
}

/** A way to send, watched only while it is full. */
class Sender<T extends RawRouteSender | RawLinkSender> implements Pollable {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #handler: RawHandler;
  readonly #way: T;
  readonly #registration: Registration;

  constructor(reactor: Reactor, handler: RawHandler, way: T) {
    this.fd = way.fd;
    this.#reactor = reactor;
    this.#handler = handler;
    this.#way = way;
    this.#registration = reactor.epoll.add(this, 0);
  }

  send(batch: Batch, from: number, until: number, counters: RawCounters): number {
    const next = this.#way.send(batch, from, until, counters);
    if (next < until) this.#reactor.epoll.modify(this.#registration, EPOLLOUT);
    return next;
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

function open({ sys }: Reactor, family: number, protocol: number): number {
  const fd = sys.socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd >= 0) return fd;
  throw sys.errno() === EPERM ? new HostError("EPERM", "socket", GRANT) : hostError(sys, "socket", "raw packets");
}

function joinFanout(sys: Sys, fd: number, group: number): void {
  const joined = setOption(sys, fd, SOL_PACKET, PACKET_FANOUT, (FANOUT_BY_PROGRAM << 16) | group);
  if (!joined) throw hostError(sys, "setsockopt", "PACKET_FANOUT");
  attachFilter(sys, fd, spreadByPort(), SOL_PACKET, PACKET_FANOUT_DATA);
}

function hasBuffers(sys: Sys, fd: number, bytes: number): boolean {
  // The kernel answers twice what was set.
  return [SO_RCVBUF, SO_SNDBUF].every((option) => getOption(sys, fd, SOL_SOCKET, option) >= 2 * bytes);
}

function withVnet({ sys }: Reactor, fd: number): void {
  if (!setOption(sys, fd, SOL_PACKET, PACKET_VNET_HDR, 1)) throw hostError(sys, "setsockopt", "PACKET_VNET_HDR");
}

const GRANT =
  "raw packets need the capability CAP_NET_RAW: run as root, or grant it: setcap cap_net_raw+ep on the node executable, AmbientCapabilities=CAP_NET_RAW in a systemd unit";
const SOCKADDR_LL_BYTES = 20;
/** PACKET_FANOUT_CBPF */
const FANOUT_BY_PROGRAM = 6;
/** Tuning. */
const CALLS_PER_ROUND = 8;
