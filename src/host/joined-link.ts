/**
 * Several links as one: what comes on any of them comes here, and a peer's number says on which link it is.
 *
 *   number = peer of its link · links + index of the link
 *
 * So a client can change its way, to another address or another carrier, while its session stays where it is.
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { Link, LinkHandler, LinkPeers } from "./link.ts";
import type { UdpCounters } from "./loop.ts";

export class JoinedLink implements Link {
  readonly addresses: LinkPeers;
  readonly batchDatagrams?: number;
  readonly #links: Link[] = [];

  /** Opens the links, one or more, in this order; when one cannot be had those before it are closed. @throws HostError */
  constructor(open: readonly ((handler: LinkHandler) => Link)[], handler: LinkHandler) {
    const n = open.length;
    try {
      for (const [index, make] of open.entries()) {
        const receive = (now: Millis, batch: Batch): void => {
          for (let i = 0; i < batch.length; i++) batch.peer[i] = batch.peer[i]! * n + index;
          handler.receive(now, batch);
        };
        this.#links.push(make({ receive, writable: (now) => handler.writable(now) }));
      }
    } catch (error) {
      this.close();
      throw error;
    }
    const least = Math.min(...this.#links.map((link) => link.batchDatagrams ?? Number.POSITIVE_INFINITY));
    if (Number.isFinite(least)) this.batchDatagrams = least;
    this.addresses = new JoinedPeers(this.#links);
  }

  /** The number of a peer of the link of that index. */
  static number(peer: number, index: number, links: number): number {
    return peer < 0 ? -1 : peer * links + index;
  }

  /** The first one's. */
  get local(): Link["local"] {
    return this.#links[0]!.local;
  }

  /** Sums. */
  get counters(): UdpCounters {
    const sum = { ...this.#links[0]!.counters } as Record<keyof UdpCounters, number>;
    for (const { counters } of this.#links.slice(1)) for (const key of Object.keys(sum) as (keyof UdpCounters)[]) sum[key] += counters[key];
    return sum as UdpCounters;
  }

  /** Of the links as they were given. */
  get links(): readonly Link[] {
    return this.#links;
  }

  takes(peer: number): boolean {
    const n = this.#links.length;
    return this.#links[peer % n]!.takes?.(Math.floor(peer / n)) !== false;
  }

  paces(peer: number): boolean {
    const n = this.#links.length;
    return this.#links[peer % n]!.paces?.(Math.floor(peer / n)) === true;
  }

  send(batch: Batch, from: number): number {
    const { length, peer } = batch;
    const n = this.#links.length;
    for (let i = from; i < length; ) {
      const index = peer[i]! % n;
      const first = i;
      for (; i < length && peer[i]! % n === index; i++) peer[i] = Math.floor(peer[i]! / n);
      batch.length = i;
      const taken = this.#links[index]!.send(batch, first);
      batch.length = length;
      if (taken === i) continue;
      for (let left = taken; left < i; left++) peer[left] = peer[left]! * n + index;
      return taken;
    }
    return length;
  }

  close(): void {
    for (const link of this.#links) link.close();
  }
}

class JoinedPeers implements LinkPeers {
  readonly #links: readonly Link[];

  constructor(links: readonly Link[]) {
    this.#links = links;
  }

  get counters(): LinkPeers["counters"] {
    return this.#links[0]!.addresses.counters;
  }

  /** On the first link. */
  intern(host: string, port: number): number {
    return JoinedLink.number(this.#links[0]!.addresses.intern(host, port), 0, this.#links.length);
  }

  hold(peer: number): void {
    this.#of(peer).hold(this.#own(peer));
  }

  release(peer: number): void {
    this.#of(peer).release(this.#own(peer));
  }

  host(peer: number): string {
    return this.#of(peer).host(this.#own(peer));
  }

  port(peer: number): number {
    return this.#of(peer).port(this.#own(peer));
  }

  localHost(peer: number): string {
    return this.#of(peer).localHost(this.#own(peer));
  }

  format(peer: number): string {
    return this.#of(peer).format(this.#own(peer));
  }

  #of(peer: number): LinkPeers {
    return this.#links[peer % this.#links.length]!.addresses;
  }

  #own(peer: number): number {
    return Math.floor(peer / this.#links.length);
  }
}
