/** The shards that one decoder keeps, in slots of a pool: at most so many at once. */
import type { Bytes } from "../base/units.ts";
import type { ShardPool } from "./shard-pool.ts";

export class ShardStore {
  readonly #pool: ShardPool;
  readonly #shardsMax: number;
  /** Slots that are out, and their bytes. */
  #held = 0;
  #bytesHeld: Bytes = 0;

  constructor(pool: ShardPool, shardsMax: number) {
    this.#pool = pool;
    this.#shardsMax = shardsMax;
  }

  get bytesHeld(): Bytes {
    return this.#bytesHeld;
  }

  /** Copies bytes[start…end) into a slot; −1 when all are out. `view` is over the same bytes. */
  keep(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (this.#held >= this.#shardsMax) return -1;
    const slot = this.#take(end - start);
    this.#pool.fill(slot, bytes, view, start, end);
    return slot;
  }

  /** A slot of `length` zeros; −1 when all are out. */
  blank(length: Bytes): number {
    if (this.#held >= this.#shardsMax) return -1;
    const slot = this.#take(length);
    const first = this.#pool.offset(slot);
    this.#pool.page(slot).fill(0, first, first + length);
    return slot;
  }

  give(slot: number): void {
    this.#held--;
    this.#bytesHeld -= this.#pool.slotBytes(slot);
    this.#pool.give(slot);
  }

  #take(length: Bytes): number {
    const slot = this.#pool.take(length);
    this.#held++;
    this.#bytesHeld += this.#pool.slotBytes(slot);
    return slot;
  }

  length(slot: number): Bytes {
    return this.#pool.length(slot);
  }

  /** The array that holds the slot, from `offset` on. */
  page(slot: number): Uint8Array {
    return this.#pool.page(slot);
  }

  offset(slot: number): number {
    return this.#pool.offset(slot);
  }

  /** The bytes of one slot, from 0 on. */
  view(slot: number): DataView {
    return this.#pool.view(slot);
  }
}
