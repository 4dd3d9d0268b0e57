/**
 * Who a server's link can send to, as small integers: whoever is known, until it is gone and nobody holds it any more. What an entry is, is the link's affair.
 */
import { assert } from "../base/assert.ts";
import { formatHostPort } from "../host/ip-address.ts";
import type { LinkPeers } from "../host/link.ts";
import type { HostPort } from "./settings.ts";

interface Held<Entry> {
  readonly entry: Entry;
  holders: number;
  /** Nothing can be sent to it any more. */
  gone: boolean;
}

export class LinkPeerTable<Entry> implements LinkPeers {
  readonly counters = { peers: 0, recycled: 0, full: 0 };
  readonly #peersMax: number;
  readonly #local: string;
  readonly #where: (entry: Entry) => HostPort;
  readonly #slots: (Held<Entry> | undefined)[] = [];
  readonly #free: number[] = [];

  /** `local`: the address clients send to. `where`: the client's. */
  constructor(peersMax: number, local: string, where: (entry: Entry) => HostPort) {
    this.#peersMax = peersMax;
    this.#local = local;
    this.#where = where;
  }

  /** Its id, −1 when no more fit. */
  add(entry: Entry): number {
    if (this.counters.peers >= this.#peersMax) {
      this.counters.full++;
      return -1;
    }
    const id = this.#free.pop() ?? this.#slots.length;
    this.#slots[id] = { entry, holders: 0, gone: false };
    this.counters.peers++;
    return id;
  }

  /** Undefined: it is gone. */
  entry(id: number): Entry | undefined {
    const slot = this.#slots[id];
    return slot === undefined || slot.gone ? undefined : slot.entry;
  }

  held(id: number): boolean {
    return (this.#slots[id]?.holders ?? 0) > 0;
  }

  /** It is gone. Its id is given to nobody else as long as somebody holds it. */
  remove(id: number): void {
    const slot = this.#slots[id];
    if (slot === undefined || slot.gone) return;
    slot.gone = true;
    if (slot.holders === 0) this.#forget(id);
  }

  /** A server calls nobody. */
  intern(): number {
    return -1;
  }

  hold(id: number): void {
    const slot = this.#slots[id];
    assert(slot !== undefined, "hold of an id that is no peer");
    slot.holders++;
  }

  release(id: number): void {
    const slot = this.#slots[id];
    assert(slot !== undefined && slot.holders > 0, "release of a peer that nobody holds");
    if (--slot.holders === 0 && slot.gone) this.#forget(id);
  }

  host(id: number): string {
    return this.#at(id).host;
  }

  port(id: number): number {
    return this.#at(id).port;
  }

  localHost(): string {
    return this.#local;
  }

  format(id: number): string {
    const { host, port } = this.#at(id);
    return formatHostPort(host, port);
  }

  #at(id: number): HostPort {
    const slot = this.#slots[id];
    return slot === undefined ? { host: "::", port: 0 } : this.#where(slot.entry);
  }

  #forget(id: number): void {
    this.#slots[id] = undefined;
    this.#free.push(id);
    this.counters.peers--;
    this.counters.recycled++;
  }
}
