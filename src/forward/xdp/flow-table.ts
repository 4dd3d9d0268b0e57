/**
 * A flow table of bpf/flows.h from this side: the same memory, walked over, searched, and written by the same rules.
 *
 *   EMPTY ─► BUSY ─► LIVE ─► DEAD ─► RESTING ─► FREE ─► EMPTY          `tend` does all behind DEAD, one step a walk
 *
 * A walk takes at least as long as a packet is under way, so that who reads a place never finds another flow in it. What is FREE can be used again; where much is, what no
 * flow's chain leads over becomes EMPTY a walk later, so that chains stay short whatever comes and goes.
 */
import { FlowEntry } from "./flow-entry.ts";
import { FlowHash } from "./flow-hash.ts";
import { type FlowLayout, PLACE, PROBES } from "./layout.ts";

export interface FlowMemory {
  /** Its places. */
  readonly entries: number;
  /** The table; asked for when there is something in it: of one family there often is nothing, and to be given the memory takes tens of milliseconds. */
  readonly bytes: () => Uint8Array<ArrayBuffer>;
  /** Two words. */
  readonly seed: Uint32Array;
  /** One word, not 0 once the program has put something there. */
  readonly used: Int32Array;
}

export class FlowTable {
  readonly layout: FlowLayout;
  /** How many. */
  readonly places: number;
  /** Where chains begin: all but the last PROBES. */
  readonly #homes: number;
  readonly #bytes: () => Uint8Array<ArrayBuffer>;
  #words = NO_WORDS;
  readonly #used: Int32Array;
  readonly #hash: FlowHash;
  #entry: FlowEntry;
  #other: FlowEntry;
  readonly #stride: number;
  readonly #state: number;
  readonly #key: Int32Array;

  constructor(layout: FlowLayout, { entries, bytes, seed, used }: FlowMemory) {
    this.layout = layout;
    this.#bytes = bytes;
    this.places = entries;
    this.#homes = entries - PROBES;
    this.#used = used;
    this.#hash = new FlowHash(seed);
    this.#entry = new FlowEntry(layout, this.#words);
    this.#other = new FlowEntry(layout, this.#words);
    this.#stride = layout.bytes / 4;
    this.#state = layout.state / 4;
    this.#key = new Int32Array(layout.state / 4);
  }

  /** Whether there may be anything in it. */
  get isUsed(): boolean {
    return Atomics.load(this.#used, 0) !== UNUSED;
  }

  /** A walk over all of it begins: what the program puts there from now on says so anew. False: there is nothing to walk over. */
  beginWalk(): boolean {
    if (!this.isUsed) return false;
    this.#attach();
    Atomics.store(this.#used, 0, WALKED);
    return true;
  }

  /** The walk is over; nothing was found, and nothing put there meanwhile: it need not be looked at any more. */
  endWalk(found: boolean): void {
    if (found) Atomics.store(this.#used, 0, USED);
    else Atomics.compareExchange(this.#used, 0, WALKED, UNUSED);
  }

  /** Hands every flow's way to `see`, those that are DEAD but not yet added up with `isDead`. The entry is valid until `see` returns. */
  each(see: (entry: FlowEntry, isDead: boolean) => void): void {
    if (!this.isUsed) return;
    this.#attach();
    for (let place = 0, at = this.#state; place < this.places; place++, at += this.#stride) {
      const state = this.#words[at]!;
      if (state !== PLACE.live && state !== PLACE.dead) continue;
      this.#entry.moveTo(place);
      see(this.#entry, state === PLACE.dead);
    }
  }

  /**
   * Looks at `count` places from `first` on: those that live are handed to `judge`, those that died to `bury`, and all that is over goes a step on.
   * `turn`: 0 and 1 by turns, from walk to walk. How many were not EMPTY.
   */
  tend(first: number, count: number, turn: number, judge: (entry: FlowEntry) => void, bury: (entry: FlowEntry) => void): number {
    const [mine, others] = turn === 0 ? [PLACE.free, PLACE.freeToo] : [PLACE.freeToo, PLACE.free];
    let occupied = 0;
    let free = 0;
    let living = 0;
    for (let place = first, at = first * this.#stride + this.#state; place < first + count; place++, at += this.#stride) {
      const state = this.#words[at]!;
      if (state === PLACE.empty) continue;
      occupied++;
      if (state === others) free++;
      else if (state === PLACE.resting) Atomics.compareExchange(this.#words, at, PLACE.resting, mine);
      else if (state === PLACE.live) {
        living++;
        this.#entry.moveTo(place);
        judge(this.#entry);
      } else if (state === PLACE.dead) {
        this.#entry.moveTo(place);
        bury(this.#entry);
        Atomics.store(this.#words, at, PLACE.resting);
      }
    }
    if (free > 0 && (free * FREE_SHARE > count || living === 0)) this.#clear(first, count, others);
    return occupied;
  }

  /** The other way of a flow; undefined when it is not there. Valid until the next call. */
  other(entry: FlowEntry): FlowEntry | undefined {
    entry.reverse(this.#key, 0);
    const place = this.#find(this.#key, 0);
    if (place < 0) return undefined;
    this.#other.moveTo(place);
    return this.#other;
  }

  /** Both ways; packets that come from now on find nothing. */
  end(entry: FlowEntry): void {
    const other = this.other(entry);
    if (other !== undefined) this.#kill(other);
    this.#kill(entry);
  }

  /** Takes over what is in another table and not in this one; answers how many found no place. */
  copy(from: FlowTable): number {
    let refused = 0;
    this.#attach();
    from.each((entry, isDead) => {
      if (!isDead && !this.#insert(from.#words, entry.base / 4)) refused++;
    });
    return refused;
  }

  #attach(): void {
    if (this.#words !== NO_WORDS) return;
    const { buffer, byteOffset, byteLength } = this.#bytes();
    this.#words = new Int32Array(buffer, byteOffset, byteLength / 4);
    this.#entry = new FlowEntry(this.layout, this.#words);
    this.#other = new FlowEntry(this.layout, this.#words);
  }

  #kill(entry: FlowEntry): void {
    Atomics.compareExchange(this.#words, entry.base / 4 + this.#state, PLACE.live, PLACE.dead);
  }

  /** Makes EMPTY of `state` what no chain leads over: from behind, knowing where the chains of what follows begin. */
  #clear(first: number, count: number, state: number): void {
    // So many places before the one that is looked at belong to chains that lead to it or beyond.
    let back = 0;
    for (let place = Math.min(first + count + PROBES, this.places) - 1; place >= first; place--) {
      const needed = back > 0;
      if (needed) back--;
      const base = place * this.#stride;
      const at = base + this.#state;
      const now = this.#words[at]!;
      if (now === PLACE.live || now === PLACE.dead) {
        const home = this.#nth(this.#hash.of(this.layout, this.#words, base), 0);
        back = Math.max(back, place - home);
      } else if (now < 0) back = PROBES;
      else if (now === state && !needed && place < first + count) Atomics.compareExchange(this.#words, at, state, PLACE.empty);
    }
  }

  /** Where a hash's chain begins, and what follows there. */
  #nth(hash: number, n: number): number {
    // 16 bits by 16, as all of it has more than a double holds.
    const low = Math.floor(((hash & 0xffff) * this.#homes) / 0x1_0000);
    return Math.floor(((hash >>> 16) * this.#homes + low) / 0x1_0000) + n;
  }

  #find(words: Int32Array, at: number): number {
    const hash = this.#hash.of(this.layout, words, at);
    for (let n = 0; n < PROBES; n++) {
      const place = this.#nth(hash, n);
      const state = this.#words[place * this.#stride + this.#state];
      if (state === PLACE.empty) return -1;
      if (state === PLACE.live && this.#is(place, words, at)) return place;
    }
    return -1;
  }

  #is(place: number, words: Int32Array, at: number): boolean {
    const base = place * this.#stride;
    for (let i = 0; i < this.#state; i++) if (this.#words[base + i] !== words[at + i]) return false;
    return true;
  }

  /** A whole flow's way, unless its key is there. False: no place for it. */
  #insert(words: Int32Array, at: number): boolean {
    const hash = this.#hash.of(this.layout, words, at);
    if (this.#find(words, at) >= 0) return true;
    for (let n = 0; n < PROBES; n++) {
      const place = this.#nth(hash, n);
      const base = place * this.#stride;
      const before = this.#words[base + this.#state]!;
      if (before !== PLACE.empty && before >> 1 !== PLACE.free >> 1) continue;
      if (Atomics.compareExchange(this.#words, base + this.#state, before, hash | PLACE.busy) !== before) continue;
      for (let i = 0; i < this.#stride; i++) if (i !== this.#state) this.#words[base + i] = words[at + i]!;
      Atomics.store(this.#used, 0, USED);
      Atomics.store(this.#words, base + this.#state, PLACE.live);
      return true;
    }
    return false;
  }
}

const NO_WORDS = new Int32Array(0);
/** Of `used`: the program writes USED. */
const UNUSED = 0;
const USED = 1;
/** USED until a walk began, and it is not over. */
const WALKED = 2;
/** One in so many places may be FREE before it is worth the work. */
const FREE_SHARE = 16;
