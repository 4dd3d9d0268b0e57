/**
 * The peers of a server's raw link: each conversation of each raw connection is one, wherever its packets come from, so that it stays the same when its client
 * moves to another address or port.
 *
 * When `peersMax` are known, or after `idleMs`, those that nobody holds give way.
 */
import { assert } from "../base/assert.ts";
import type { Millis } from "../base/units.ts";
import type { RawPeer } from "../faketcp/server.ts";
import { formatAddress, formatHostPort } from "../host/ip-address.ts";
import type { LinkPeers } from "../host/link.ts";

export interface TableEntry {
  readonly peer: RawPeer;
  readonly conversation: number;
  holders: number;
  heardAt: Millis;
  /** Its raw connection is gone: nothing can be sent. */
  gone: boolean;
}

export class ConversationTable implements LinkPeers {
  readonly counters = { peers: 0, recycled: 0, full: 0 };
  readonly #peersMax: number;
  readonly #local: string;
  readonly #entries: (TableEntry | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #ids = new Map<RawPeer, Map<number, number>>();

  /** `local`: the address clients send to. */
  constructor(peersMax: number, local: string) {
    this.#peersMax = peersMax;
    this.#local = local;
  }

  /** Id of the conversation, −1 when no more fit. */
  idOf(now: Millis, peer: RawPeer, conversation: number): number {
    const known = this.#ids.get(peer)?.get(conversation);
    if (known !== undefined) {
      this.#entries[known]!.heardAt = now;
      return known;
    }
    if (this.counters.peers >= this.#peersMax) {
      this.counters.full++;
      return -1;
    }
    const id = this.#free.pop() ?? this.#entries.length;
    this.#entries[id] = { peer, conversation, holders: 0, heardAt: now, gone: false };
    let ofPeer = this.#ids.get(peer);
    if (ofPeer === undefined) {
      ofPeer = new Map();
      this.#ids.set(peer, ofPeer);
    }
    ofPeer.set(conversation, id);
    this.counters.peers++;
    return id;
  }

  /** Undefined: recycled. */
  entry(id: number): TableEntry | undefined {
    return this.#entries[id];
  }

  /** The raw connection is gone. Entries that are held stay, but lead nowhere. */
  close(peer: RawPeer): void {
    for (const id of this.#ids.get(peer)?.values() ?? []) {
      const entry = this.#entries[id]!;
      entry.gone = true;
      if (entry.holders === 0) this.#forget(id);
    }
    this.#ids.delete(peer);
  }

  /** Forgets who has been silent for so long and is not held. */
  sweep(now: Millis, idleMs: Millis): void {
    for (const [peer, ofPeer] of this.#ids) {
      let held = false;
      for (const id of ofPeer.values()) {
        const { holders, heardAt } = this.#entries[id]!;
        if (holders > 0) held = true;
        else if (now - heardAt >= idleMs) this.#forget(id);
      }
      peer.busy = held;
    }
  }

  /** A server calls nobody. */
  intern(): number {
    return -1;
  }

  hold(id: number): void {
    const entry = this.#entries[id];
    assert(entry !== undefined, "hold of an id that is no peer");
    entry.holders++;
    entry.peer.busy = true;
  }

  release(id: number): void {
    const entry = this.#entries[id];
    assert(entry !== undefined && entry.holders > 0, "release of a conversation that nobody holds");
    if (--entry.holders === 0 && entry.gone) this.#forget(id);
  }

  host(id: number): string {
    const peer = this.#entries[id]?.peer;
    return peer === undefined ? "::" : formatAddress(peer.address);
  }

  port(id: number): number {
    return this.#entries[id]?.peer.port ?? 0;
  }

  localHost(): string {
    return this.#local;
  }

  format(id: number): string {
    return formatHostPort(this.host(id), this.port(id));
  }

  #forget(id: number): void {
    const { peer, conversation, gone } = this.#entries[id]!;
    this.#entries[id] = undefined;
    this.#free.push(id);
    this.counters.peers--;
    if (gone) return;
    this.counters.recycled++;
    const ofPeer = this.#ids.get(peer)!;
    ofPeer.delete(conversation);
    if (ofPeer.size === 0) this.#ids.delete(peer);
  }
}
