/**
 * The groups that may still be repaired: the newest and a few behind it, found by their number (seqid ÷ shards in a group).
 *
 *   position in group:   0 … ds−1 | ds … ds+ps−1
 *   slots[entry, pos]    ABSENT · SEEN (arrived, bytes no longer needed) · ZEROS (of a short group) · slot of the store
 *
 * Source: kcptun.md section 4.3.
 */
import type { ShardStore } from "./shard-store.ts";

const ABSENT = -1;
const SEEN = -2;
/** Known to be nothing but zeros: behind the end of a short group. */
export const ZEROS = -3;
const FREE = -1;

/** Words of an entry: the group's number, its shards that are held, its data shards seen, the length of its longest shard, whether it needs nothing more; then its slots. */
const NUMBER = 0;
const HELD = 1;
const DATA_SEEN = 2;
const LONGEST = 3;
const DONE = 4;
const HEAD = 5;

export class Groups {
  readonly #store: ShardStore;
  readonly #entries: number;
  /** Of each entry: its head, see NUMBER and the following, and its slots. */
  #words: Int32Array;
  #stride = HEAD;
  #newest = -1;
  /** Numbers run 0…total−1 and start again. */
  #total = 1;
  #dataShards = 0;
  #groupShards = 0;
  /** Data shards that neither arrived nor were repaired before their group was given up. */
  lost = 0;
  /** Data shards that did arrive in those groups: too few to repair the rest (kcptun of 2021: FECShortShards). */
  short = 0;
  /** Groups whose data all arrived (kcptun: FECFullShards), and groups given up. */
  fullGroups = 0;
  lostGroups = 0;

  constructor(store: ShardStore, groupsMax: number) {
    this.#store = store;
    this.#entries = groupsMax;
    this.#words = freeEntries(groupsMax, HEAD);
  }

  /** Gives up all groups; from now on they have these sizes and their numbers end before `total`. */
  restart(dataShards: number, groupShards: number, total: number): void {
    for (let entry = 0; entry < this.#entries; entry++) this.#giveUp(entry);
    this.#newest = -1;
    this.#dataShards = dataShards;
    if (groupShards !== this.#groupShards) {
      this.#stride = HEAD + groupShards;
      this.#words = freeEntries(this.#entries, this.#stride);
    }
    this.#groupShards = groupShards;
    this.#total = total;
  }

  /** The entry of group `number`, made if it is new; −1 when it is too old. */
  entry(number: number): number {
    const ahead = this.#ahead(number);
    if (ahead > 0) this.#newest = number;
    else if (ahead <= -this.#entries) return -1;
    let room = -1;
    for (let entry = 0; entry < this.#entries; entry++) {
      const here = this.#words[entry * this.#stride + NUMBER]!;
      if (here === number) return entry;
      if (here === FREE || this.#ahead(here) <= -this.#entries) room = entry;
    }
    // There is room: at most `entries` numbers are young enough, and this one is among them.
    this.#giveUp(room);
    this.#words[room * this.#stride + NUMBER] = number;
    return room;
  }

  /** How far `number` is ahead of the newest group, the short way round; 1 when there is none yet. */
  #ahead(number: number): number {
    if (this.#newest < 0) return 1;
    const difference = number - this.#newest;
    if (difference > this.#total / 2) return difference - this.#total;
    if (difference < -this.#total / 2) return difference + this.#total;
    return difference;
  }

  /** Number of the newest group, −1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** Groups that wait for more of their shards. */
  get open(): number {
    let open = 0;
    for (let entry = 0; entry < this.#entries; entry++)
      if (this.#words[entry * this.#stride + NUMBER] !== FREE && !this.done(entry)) open++;
    return open;
  }

  /** True when the group needs nothing more: all its data arrived or was repaired. */
  done(entry: number): boolean {
    return this.#words[entry * this.#stride + DONE] === 1;
  }

  has(entry: number, position: number): boolean {
    return this.#words[entry * this.#stride + HEAD + position] !== ABSENT;
  }

  /** Enters a shard that arrived; `slot` may be −1 when it could not be kept, and the group then counts it as absent. */
  enter(entry: number, position: number, slot: number): void {
    if (slot < 0) return;
    this.#words[entry * this.#stride + HEAD + position] = slot;
    this.#words[entry * this.#stride + HELD]!++;
    if (position < this.#dataShards) this.#words[entry * this.#stride + DATA_SEEN]!++;
    this.#words[entry * this.#stride + LONGEST] = Math.max(this.#words[entry * this.#stride + LONGEST]!, this.#store.length(slot));
    if (this.#words[entry * this.#stride + DATA_SEEN] !== this.#dataShards) return;
    this.fullGroups++;
    this.finish(entry);
  }

  /** The group has only `shards` data shards, the rest are zeros. */
  shorten(entry: number, shards: number): void {
    for (let position = shards; position < this.#dataShards; position++) {
      const at = entry * this.#stride + HEAD + position;
      if (this.#words[at] !== ABSENT) continue;
      this.#words[at] = ZEROS;
      this.#words[entry * this.#stride + HELD]!++;
      this.#words[entry * this.#stride + DATA_SEEN]!++;
    }
    if (this.#words[entry * this.#stride + DATA_SEEN] !== this.#dataShards || this.done(entry)) return;
    this.fullGroups++;
    this.finish(entry);
  }

  /** Marks a shard of a group that is done. */
  see(entry: number, position: number): void {
    this.#words[entry * this.#stride + HEAD + position] = SEEN;
  }

  /** Enough arrived to repair what is missing. */
  repairable(entry: number): boolean {
    return this.#words[entry * this.#stride + HELD]! >= this.#dataShards && !this.done(entry);
  }

  /** Slot of a shard, negative when there is none. */
  slot(entry: number, position: number): number {
    return this.#words[entry * this.#stride + HEAD + position]!;
  }

  /** Length of the longest shard that arrived. */
  longest(entry: number): number {
    return this.#words[entry * this.#stride + LONGEST]!;
  }

  /** Nothing of the group is missing any more: gives its slots back. */
  finish(entry: number): void {
    this.#words[entry * this.#stride + DONE] = 1;
    this.#release(entry, SEEN);
  }

  /** What was missing has been repaired: of the data all is there now. */
  repaired(entry: number): void {
    this.finish(entry);
    const first = entry * this.#stride + HEAD;
    this.#words.fill(SEEN, first, first + this.#dataShards);
  }

  /** Nothing has come for so long that no group will be completed any more: their shards are given back, and nothing is counted as lost. */
  rest(): void {
    for (let entry = 0; entry < this.#entries; entry++)
      if (this.#words[entry * this.#stride + NUMBER] !== FREE && !this.done(entry)) this.finish(entry);
  }

  #giveUp(entry: number): void {
    if (this.#words[entry * this.#stride + NUMBER] !== FREE && !this.done(entry)) {
      this.lost += this.#dataShards - this.#words[entry * this.#stride + DATA_SEEN]!;
      this.short += this.#words[entry * this.#stride + DATA_SEEN]!;
      this.lostGroups++;
    }
    this.#release(entry, ABSENT);
    this.#words[entry * this.#stride + NUMBER] = FREE;
    this.#words[entry * this.#stride + HELD] = 0;
    this.#words[entry * this.#stride + DATA_SEEN] = 0;
    this.#words[entry * this.#stride + LONGEST] = 0;
    this.#words[entry * this.#stride + DONE] = 0;
  }

  /** Gives the slots back; what arrived becomes `then`. */
  #release(entry: number, then: typeof ABSENT | typeof SEEN): void {
    const first = entry * this.#stride + HEAD;
    for (let i = first; i < first + this.#groupShards; i++) {
      const slot = this.#words[i]!;
      if (slot >= 0) this.#store.give(slot);
      if (slot !== ABSENT) this.#words[i] = then;
    }
  }
}

function freeEntries(entries: number, stride: number): Int32Array {
  const words = new Int32Array(entries * stride);
  for (let entry = 0; entry < entries; entry++) {
    words.fill(ABSENT, entry * stride + HEAD, (entry + 1) * stride);
    words[entry * stride + NUMBER] = FREE;
  }
  return words;
}
