/**
 * A client's link that leaves by an interface or from an address which may come and go, as a phone's or a modem's does: it is opened when that is there, and anew
 * when another has taken its place. While there is none, what is sent is dropped and counted, so that other ways of the same session go on.
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { type Departure, departureName, presence } from "./departure.ts";
import type { Link, LinkHandler } from "./link.ts";
import type { Log } from "./log.ts";
import { newUdpCounters, type UdpCounters } from "./loop.ts";
import { OnePeer } from "./one-peer.ts";

/** So often it is looked for, while something is sent. */
const LOOK_MS: Millis = 1000;
/** Number of whoever is not the server. */
const STRANGER = 1;

export interface TiedLinkParts {
  readonly server: { readonly host: string; readonly port: number };
  readonly departure: Departure;
  /** Of the link's own, again and again. */
  readonly open: (handler: LinkHandler) => Link;
  readonly now: () => Millis;
  readonly log: Log;
  /** See departure.ts; for tests. */
  readonly presence?: (departure: Departure) => number;
}

export class TiedLink implements Link {
  readonly addresses: OnePeer;
  readonly #parts: TiedLinkParts;
  readonly #handler: LinkHandler;
  readonly #counters = newUdpCounters();
  #link: Link | undefined;
  /** The server, in the addresses of `#link`. */
  #peer = -1;
  #presence = 0;
  #lookAt: Millis = 0;
  #missed = false;

  constructor(parts: TiedLinkParts, handler: LinkHandler) {
    this.#parts = parts;
    this.#handler = handler;
    this.addresses = new OnePeer(parts.server);
    this.#look();
  }

  get local(): Link["local"] {
    return this.#link?.local ?? { host: "::", port: 0 };
  }

  /** Of all links that there were, and of what was dropped between them. */
  get counters(): UdpCounters {
    return this.#link === undefined ? this.#counters : sum(this.#counters, this.#link.counters);
  }

  get batchDatagrams(): number {
    return this.#link?.batchDatagrams ?? BATCH_DATAGRAMS;
  }

  takes(): boolean {
    return this.#link?.takes?.(this.#peer) !== false;
  }

  paces(): boolean {
    return this.#link?.paces?.(this.#peer) === true;
  }

  send(batch: Batch, from: number): number {
    if (this.#parts.now() >= this.#lookAt) this.#look();
    if (this.#link === undefined) {
      this.#counters.sendErrors += batch.length - from;
      return batch.length;
    }
    batch.peer.fill(this.#peer, from, batch.length);
    const taken = this.#link.send(batch, from);
    batch.peer.fill(0, taken, batch.length);
    return taken;
  }

  close(): void {
    if (this.#link === undefined) return;
    Object.assign(this.#counters, sum(this.#counters, this.#link.counters));
    this.#link.close();
    this.#link = undefined;
  }

  #look(): void {
    const { now, departure, log } = this.#parts;
    this.#lookAt = now() + LOOK_MS;
    const found = (this.#parts.presence ?? presence)(departure);
    if (found === this.#presence && (this.#link !== undefined) === found > 0) {
      if (found === 0) this.#miss("it is not there");
      return;
    }
    this.close();
    this.#presence = found;
    if (found === 0) this.#miss("it is not there");
    else if (this.#opened() && this.#missed) {
      this.#missed = false;
      log.info({ by: departureName(departure) }, "a way's interface or address is there again");
    }
  }

  #opened(): boolean {
    const { server, open } = this.#parts;
    try {
      const link = open({
        receive: (now, batch) => {
          for (let i = 0; i < batch.length; i++) batch.peer[i] = batch.peer[i] === this.#peer ? 0 : STRANGER;
          this.#handler.receive(now, batch);
        },
        writable: (now) => this.#handler.writable(now),
      });
      this.#peer = link.addresses.intern(server.host, server.port);
      link.addresses.hold(this.#peer);
      this.#link = link;
      return true;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#miss(error.message);
      return false;
    }
  }

  #miss(reason: string): void {
    if (this.#missed) return;
    this.#missed = true;
    this.#parts.log.warn(
      { by: departureName(this.#parts.departure), reason },
      "a way cannot be used for now: its interface or address is looked for again every second",
    );
  }
}

/** What a link makes at once where it says nothing else. */
const BATCH_DATAGRAMS = 192;

function sum(one: UdpCounters, other: UdpCounters): UdpCounters {
  const both = { ...one } as Record<keyof UdpCounters, number>;
  for (const key of Object.keys(both) as (keyof UdpCounters)[]) both[key] += other[key];
  return both;
}
