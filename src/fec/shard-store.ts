/** Keeps the bytes of shards in slots; a steady flow allocates nothing. */
import { Slots } from "../base/slots.ts";
import type { Bytes } from "../base/units.ts";
import { copyInside, takeRegion } from "../kernel/kernels.ts";

export class ShardStore {
  readonly #slots: Slots;
  /** One view a slot, made when the slot is first used. */
  readonly #views: DataView[] = [];
  readonly #lengths: Int32Array;

  constructor(shardBytesMax: Bytes, shardsMax: number) {
    this.#slots = new Slots(shardBytesMax, shardsMax, takeRegion);
    this.#lengths = new Int32Array((shardsMax + 63) & ~63);
  }

  get bytesHeld(): Bytes {
    return this.#slots.bytesHeld;
  }

  /** Copies bytes[start…end) into a slot; −1 when all are out. `view` is over the same bytes. */
  keep(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const slot = this.#slots.take();
    if (slot < 0) return -1;
    if (!copyInside(bytes, start, end, this.#slots.page(slot), this.#slots.offset(slot))) copy(view, start, end, this.view(slot));
    this.#lengths[slot] = end - start;
    return slot;
  }

  /** A slot of `length` zeros; −1 when all are out. */
  blank(length: number): number {
    const slot = this.#slots.take();
    if (slot < 0) return -1;
    const first = this.#slots.offset(slot);
    this.#slots.page(slot).fill(0, first, first + length);
    this.#lengths[slot] = length;
    return slot;
  }

  give(slot: number): void {
    this.#slots.give(slot);
  }

  length(slot: number): number {
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
