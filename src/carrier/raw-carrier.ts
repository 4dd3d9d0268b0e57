/** Raw connections as links of a tunnel: each session of a client has one of its own, a server has all of a port. */
import type { RawOptions } from "../faketcp/options.ts";
import type { Carrier, Link, LinkHandler, LinkOptions } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { OpenLinks } from "./open-links.ts";
import { RawLink } from "./raw-link.ts";
import { RawServerLink } from "./raw-server-link.ts";
import { RawSizes } from "./raw-sizes.ts";
import type { HostPort } from "./settings.ts";

export interface RawCarrierSettings {
  readonly name: string;
  readonly raw: RawOptions;
  /** Of the raw side, for what fits into a packet. */
  readonly version: 4 | 6;
  /** Client: of our packets; by default what the route says, and a random port for each connection. */
  readonly sourceHost?: string;
  readonly sourcePort?: number;
}

export class RawCarrier implements Carrier {
  readonly name: string;
  readonly datagramBytesMax: number;
  readonly connects = true;
  readonly #loop: EpollLoop;
  readonly #settings: RawCarrierSettings;
  readonly #log: Log;
  readonly #links: OpenLinks<RawLink | RawServerLink>;

  /** @throws HostError when raw packets are not allowed */
  constructor(loop: EpollLoop, settings: RawCarrierSettings, log: Log) {
    // Said at once, and not when the first session begins.
    const trial = { receive: () => undefined, writable: () => undefined };
    new RawSocket(loop, { version: settings.version }, trial).close();
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.name = settings.name;
    this.datagramBytesMax = new RawSizes(settings.raw.mode, settings.raw).largestDatagram(settings.version, PATH_BYTES);
    this.#links = new OpenLinks(loop);
  }

  dial(remote: HostPort, { socketBufferBytes, departure }: LinkOptions, handler: LinkHandler): Link {
    const { raw, sourceHost, sourcePort } = this.#settings;
    const settings = {
      ...{ raw, remote },
      ...(sourceHost === undefined ? {} : { sourceHost }),
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }),
      ...(departure?.host === undefined ? {} : { sourceHost: departure.host }),
      ...(departure?.device === undefined ? {} : { device: departure.device, sendsByDevice: true }),
    };
    const link = new RawLink(this.#loop, settings, this.#log, handler, this.#links.closed);
    this.#links.add(link);
    this.#loop.wake();
    return link;
  }

  listen(local: HostPort, { socketBufferBytes, peersMax = PEERS_MAX }: LinkOptions, handler: LinkHandler): Link {
    const settings = { raw: this.#settings.raw, local, ...(socketBufferBytes === undefined ? {} : { socketBufferBytes }) };
    const link = new RawServerLink(this.#loop, settings, peersMax, handler, this.#links.closed);
    this.#links.add(link);
    return link;
  }
}

const PATH_BYTES = 1500;
const PEERS_MAX = 8192;
