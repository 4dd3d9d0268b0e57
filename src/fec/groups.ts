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

export class Groups {
  readonly #store: ShardStore;
  readonly #entries: number;
  readonly #number: Float64Array;
  #slots = new Int32Array(0);
  readonly #held: Int32Array;
  readonly #dataSeen: Int32Array;
  readonly #longest: Int32Array;
  readonly #done: Uint8Array;
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
    this.#number = new Float64Array(groupsMax).fill(FREE);
    this.#held = new Int32Array(groupsMax);
    this.#dataSeen = new Int32Array(groupsMax);
    this.#longest = new Int32Array(groupsMax);
    this.#done = new Uint8Array(groupsMax);
  }

  /** Gives up all groups; from now on they have these sizes and their numbers end before `total`. */
  restart(dataShards: number, groupShards: number, total: number): void {
    for (let entry = 0; entry < this.#entries; entry++) this.#giveUp(entry);
    this.#newest = -1;
    this.#dataShards = dataShards;
    if (groupShards !== this.#groupShards) this.#slots = new Int32Array(this.#entries * groupShards).fill(ABSENT);
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
      const here = this.#number[entry]!;
      if (here === number) return entry;
      if (here === FREE || this.#ahead(here) <= -this.#entries) room = entry;
    }
    // There is room: at most `entries` numbers are young enough, and this one is among them.
    this.#giveUp(room);
    this.#number[room] = number;
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
    for (let entry = 0; entry < this.#entries; entry++) if (this.#number[entry] !== FREE && !this.done(entry)) open++;
    return open;
  }

  /** True when the group needs nothing more: all its data arrived or was repaired. */
  done(entry: number): boolean {
    return this.#done[entry] === 1;
  }

  has(entry: number, position: number): boolean {
    return this.#slots[entry * this.#groupShards + position] !== ABSENT;
  }

  /** Enters a shard that arrived; `slot` may be −1 when it could not be kept, and the group then counts it as absent. */
  enter(entry: number, position: number, slot: number): void {
    if (slot < 0) return;
    this.#slots[entry * this.#groupShards + position] = slot;
    this.#held[entry]!++;
    if (position < this.#dataShards) this.#dataSeen[entry]!++;
    this.#longest[entry] = Math.max(this.#longest[entry]!, this.#store.length(slot));
    if (this.#dataSeen[entry] !== this.#dataShards) return;
    this.fullGroups++;
    this.finish(entry);
  }

  /** The group has only `shards` data shards, the rest are zeros. */
  shorten(entry: number, shards: number): void {
    for (let position = shards; position < this.#dataShards; position++) {
      const at = entry * this.#groupShards + position;
      if (this.#slots[at] !== ABSENT) continue;
      this.#slots[at] = ZEROS;
      this.#held[entry]!++;
      this.#dataSeen[entry]!++;
    }
    if (this.#dataSeen[entry] !== this.#dataShards || this.done(entry)) return;
    this.fullGroups++;
    this.finish(entry);
  }

  /** Marks a shard of a group that is done. */
  see(entry: number, position: number): void {
    this.#slots[entry * this.#groupShards + position] = SEEN;
  }

  /** Enough arrived to repair what is missing. */
  repairable(entry: number): boolean {
    return this.#held[entry]! >= this.#dataShards && !this.done(entry);
  }

  /** Slot of a shard, negative when there is none. */
  slot(entry: number, position: number): number {
    return this.#slots[entry * this.#groupShards + position]!;
  }

  /** Length of the longest shard that arrived. */
  longest(entry: number): number {
    return this.#longest[entry]!;
  }

  /** Nothing of the group is missing any more: gives its slots back. */
  finish(entry: number): void {
    this.#done[entry] = 1;
    this.#release(entry, SEEN);
  }

  /** Nothing has come for so long that no group will be completed any more: their shards are given back, and nothing is counted as lost. */
  rest(): void {
    for (let entry = 0; entry < this.#entries; entry++) if (this.#number[entry] !== FREE && !this.done(entry)) this.finish(entry);
  }

  #giveUp(entry: number): void {
    if (this.#number[entry] !== FREE && !this.done(entry)) {
      this.lost += this.#dataShards - this.#dataSeen[entry]!;
      this.short += this.#dataSeen[entry]!;
      this.lostGroups++;
    }
    this.#release(entry, ABSENT);
    this.#number[entry] = FREE;
    this.#held[entry] = 0;
    this.#dataSeen[entry] = 0;
    this.#longest[entry] = 0;
    this.#done[entry] = 0;
  }

  /** Gives the slots back; what arrived becomes `then`. */
  #release(entry: number, then: typeof ABSENT | typeof SEEN): void {
    const first = entry * this.#groupShards;
    for (let i = first; i < first + this.#groupShards; i++) {
      const slot = this.#slots[i]!;
      if (slot >= 0) this.#store.give(slot);
      if (slot !== ABSENT) this.#slots[i] = then;
    }
  }
}
