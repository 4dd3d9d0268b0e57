/** TCP connections as links of a tunnel, for networks where nothing else passes. */
import type { Carrier, Link, LinkHandler, LinkOptions } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { OpenLinks } from "./open-links.ts";
import type { HostPort } from "./settings.ts";
import type { TcpDialer } from "./tcp-dialer.ts";
import { TcpHello, type TcpPrimitives } from "./tcp-hello.ts";
import { TcpLink } from "./tcp-link.ts";
import { TcpServerLink } from "./tcp-server-link.ts";

export interface TcpCarrierSettings {
  /** Secret. */
  readonly password: string;
  readonly primitives: TcpPrimitives;
  readonly dial: TcpDialer;
  /** A client's connections, 1…16. */
  readonly connections: number;
  /** See TcpLinkSettings. */
  readonly eager?: boolean;
}

export class TcpCarrier implements Carrier {
  readonly name = "tcp";
  /** A stream has no packets to fit into: kcptun's own limit holds. */
  readonly datagramBytesMax = 1500;
  readonly connects = true;
  readonly #loop: Loop;
  readonly #settings: TcpCarrierSettings;
  readonly #log: Log;
  readonly #hello: TcpHello;
  readonly #links: OpenLinks<TcpLink | TcpServerLink>;

  constructor(loop: Loop, settings: TcpCarrierSettings, log: Log) {
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.#hello = new TcpHello(settings.password, settings.primitives);
    this.#links = new OpenLinks(loop);
  }

  dial(to: HostPort, { departure }: LinkOptions, handler: LinkHandler): Link {
    const { primitives, dial, connections, eager = false } = this.#settings;
    const settings = { hello: this.#hello, random: primitives.random, dial, connections, eager, departure };
    const link = new TcpLink(this.#loop, to, settings, this.#log, handler, this.#links.closed);
    this.#links.add(link);
    // Begins to connect at once, so that what is sent in this round can wait.
    if (eager) link.advance(this.#loop.now());
    this.#loop.wake();
    return link;
  }

  listen(at: HostPort, { peersMax = PEERS_MAX }: LinkOptions, handler: LinkHandler): Link {
    const { dial } = this.#settings;
    const link = new TcpServerLink(this.#loop, at, { hello: this.#hello, dial, peersMax }, this.#log, handler, this.#links.closed);
    this.#links.add(link);
    return link;
  }
}

const PEERS_MAX = 8192;
