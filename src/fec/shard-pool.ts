/** Slots for the bytes of shards, for any number of decoders: what one does not need serves another. Each bounds what it takes (shard-store.ts). */
import { Slots } from "../base/slots.ts";
import type { Bytes } from "../base/units.ts";
import { copyInside, kernelPages } from "../kernel/kernels.ts";

export class ShardPool {
  readonly #slots: Slots;
  /** One view a slot, made when it is first asked for; all are let go of when pages may have gone. */
  #views: DataView[] = [];
  #lengths = new Int32Array(64);

  constructor(shardBytesMax: Bytes) {
    this.#slots = new Slots(shardBytesMax, Number.POSITIVE_INFINITY, kernelPages);
  }

  get shardBytesMax(): Bytes {
    return this.#slots.slotBytes;
  }

  /** Of all decoders. */
  get bytesHeld(): Bytes {
    return this.#slots.bytesHeld;
  }

  /** Slots that are out. */
  get out(): number {
    return this.#slots.out;
  }

  /** A slot for `length` bytes. */
  take(length: Bytes): number {
    const slot = this.#slots.take();
    if (slot >= this.#lengths.length) {
      const longer = new Int32Array(Math.max(2 * this.#lengths.length, slot + 1));
      longer.set(this.#lengths);
      this.#lengths = longer;
    }
    this.#lengths[slot] = length;
    return slot;
  }

  give(slot: number): void {
    this.#slots.give(slot);
  }

  /** Copies bytes[start…end) to the slot; `view` is over the same bytes. */
  fill(slot: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (!copyInside(bytes, start, end, this.#slots.page(slot), this.#slots.offset(slot))) copy(view, start, end, this.view(slot));
  }

  length(slot: number): Bytes {
    return this.#lengths[slot]!;
  }

  /** The array that holds the slot, from `offset` on. */
  page(slot: number): Uint8Array {
    return this.#slots.page(slot);
  }

  offset(slot: number): number {
    return this.#slots.offset(slot);
  }

  /** The bytes of one slot, from 0 on. */
  view(slot: number): DataView {
    const known = this.#views[slot];
    if (known !== undefined) return known;
    const made = this.#makeView(slot);
    this.#views[slot] = made;
    return made;
  }

  /** Gives back memory that nobody has needed since this was called before. */
  trim(): void {
    this.#slots.trim();
    this.#views = [];
  }

  #makeView(slot: number): DataView {
    const page = this.#slots.page(slot);
    return new DataView(page.buffer, page.byteOffset + this.#slots.offset(slot), this.#slots.slotBytes);
  }
}

/** `| 0` tells the compiler that no sum overflows, which it would otherwise check at every word. */
function copy(from: DataView, start: number, end: number, to: DataView): void {
  let at = start | 0;
  let i = 0;
  const whole = (start + ((end - start) & ~15)) | 0;
  for (; at < whole; at = (at + 16) | 0) {
    to.setInt32(i, from.getInt32(at, true), true);
    to.setInt32((i + 4) | 0, from.getInt32((at + 4) | 0, true), true);
    to.setInt32((i + 8) | 0, from.getInt32((at + 8) | 0, true), true);
    to.setInt32((i + 12) | 0, from.getInt32((at + 12) | 0, true), true);
    i = (i + 16) | 0;
  }
  for (; at < end; at++) to.setUint8(i++, from.getUint8(at));
}
