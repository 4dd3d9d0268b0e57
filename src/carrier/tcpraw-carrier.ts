/** kcptun's --tcp as links of a tunnel. Needs CAP_NET_RAW; no firewall rule, as the kernel's sockets are deaf (host/handshake-socket.ts). */
import { type Millis, NEVER } from "../base/units.ts";
import type { Carrier, Link, LinkHandler, LinkOptions } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Driver } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import type { HostPort } from "./settings.ts";
import { TcprawLink } from "./tcpraw-link.ts";
import { TcprawServerLink } from "./tcpraw-server-link.ts";

export class TcprawCarrier implements Carrier, Driver {
  readonly name = "tcpraw";
  /** 1500 without the headers of IPv6 and TCP. */
  readonly datagramBytesMax = 1428;
  readonly connects = true;
  readonly #loop: EpollLoop;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #links = new Set<TcprawLink | TcprawServerLink>();
  readonly #closed = (link: TcprawLink | TcprawServerLink): void => void this.#links.delete(link);

  /** `random` draws 0…2^32−1. @throws HostError when raw packets are not allowed */
  constructor(loop: EpollLoop, random: () => number, log: Log) {
    // Said at once, and not when the first session begins.
    new RawSocket(loop, { version: 4 }, { receive: () => undefined, writable: () => undefined }).close();
    this.#loop = loop;
    this.#random = random;
    this.#log = log;
    loop.drive(this);
  }

  dial(to: HostPort, { socketBufferBytes }: LinkOptions, handler: LinkHandler): Link {
    const options = { random: this.#random, ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }) };
    const link = new TcprawLink(this.#loop, to, options, this.#log, handler, this.#closed);
    this.#links.add(link);
    this.#loop.wake();
    return link;
  }

  listen(at: HostPort, { socketBufferBytes, peersMax = PEERS_MAX }: LinkOptions, handler: LinkHandler): Link {
    const options = { random: this.#random, peersMax, ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }) };
    const link = new TcprawServerLink(this.#loop, at, options, handler, this.#closed);
    this.#links.add(link);
    return link;
  }

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (const link of this.#links) next = Math.min(next, link.advance(now));
    return next;
  }
}

const PEERS_MAX = 8192;
