/**
 * What the kernel tells of its tables by itself: that a route, an address, an interface or the hardware address of a neighbour is another one.
 *
 * Source: rtnetlink(7).
 */
import { heardOf } from "./route-questions.ts";
import { RouteSocket, RTM_DELNEIGH, RTM_NEWNEIGH } from "./rtnetlink.ts";
import type { Sys } from "./sys.ts";

export class RouteNews {
  /** Readable: there is news, call `read`. */
  readonly fd: number;
  readonly #socket: RouteSocket;
  readonly #changed: () => void;
  /** Hardware addresses by "interface address", as far as they were heard of; "": none. */
  readonly #known = new Map<string, string>();

  /** @throws HostError */
  constructor(sys: Sys, changed: () => void) {
    this.#changed = changed;
    this.#socket = new RouteSocket(sys, GROUPS);
    this.fd = this.#socket.fd;
  }

  /** Calls `changed` for each change, and when some were lost. @throws HostError */
  read(): void {
    const whole = this.#socket.receive(({ type, body }) => {
      if ((type !== RTM_NEWNEIGH && type !== RTM_DELNEIGH) || this.#isNew(body, type === RTM_DELNEIGH)) this.#changed();
    });
    if (!whole) this.#changed();
  }

  close(): void {
    this.#socket.close();
  }

  #isNew(body: DataView, gone: boolean): boolean {
    const heard = heardOf(body);
    if (heard === undefined) return false;
    const key = `${heard.ifindex} ${heard.address}`;
    const text = gone || heard.hardware === undefined ? "" : Buffer.from(heard.hardware).toString("hex");
    if (this.#known.get(key) === text) return false;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, text);
    return true;
  }
}

/** RTMGRP_LINK, _NEIGH, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE */
const GROUPS = 0x1 | 0x4 | 0x10 | 0x40 | 0x100 | 0x400;
const KNOWN_MAX = 65_536;
