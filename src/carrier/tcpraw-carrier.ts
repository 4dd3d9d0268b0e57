/** kcptun's --tcp as links of a tunnel. Needs CAP_NET_RAW; no firewall rule, as the kernel's sockets are deaf (host/handshake-socket.ts). */
import type { Carrier, Link, LinkHandler, LinkOptions } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { OpenLinks } from "./open-links.ts";
import type { HostPort } from "./settings.ts";
import { TcprawLink } from "./tcpraw-link.ts";
import { TcprawServerLink } from "./tcpraw-server-link.ts";

export class TcprawCarrier implements Carrier {
  readonly name = "tcpraw";
  /** 1500 without the headers of IPv6 and TCP. */
  readonly datagramBytesMax = 1428;
  readonly connects = true;
  readonly #loop: EpollLoop;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #links: OpenLinks<TcprawLink | TcprawServerLink>;

  /** `random` draws 0…2^32−1. @throws HostError when raw packets are not allowed */
  constructor(loop: EpollLoop, random: () => number, log: Log) {
    // Said at once, and not when the first session begins.
    new RawSocket(loop, { version: 4 }, { receive: () => undefined, writable: () => undefined }).close();
    this.#loop = loop;
    this.#random = random;
    this.#log = log;
    this.#links = new OpenLinks(loop);
  }

  dial(to: HostPort, { socketBufferBytes, departure }: LinkOptions, handler: LinkHandler): Link {
    const options = { random: this.#random, departure, ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }) };
    const link = new TcprawLink(this.#loop, to, options, this.#log, handler, this.#links.closed);
    this.#links.add(link);
    this.#loop.wake();
    return link;
  }

  listen(at: HostPort, { socketBufferBytes, peersMax = PEERS_MAX }: LinkOptions, handler: LinkHandler): Link {
    const options = { random: this.#random, peersMax, ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }) };
    const link = new TcprawServerLink(this.#loop, at, options, handler, this.#links.closed);
    this.#links.add(link);
    return link;
  }
}

const PEERS_MAX = 8192;
