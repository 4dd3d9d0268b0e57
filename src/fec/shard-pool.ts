/**
 * Slots for the bytes of shards, for any number of decoders: what one does not need serves another. Each bounds what it takes (shard-store.ts). Short shards,
 * which are what idle sessions keep of a group that nothing follows in, have slots of their own.
 *
 *   slot = 2 · number among those of its kind + 1 if it is a short one
 */
import { Slots } from "../base/slots.ts";
import type { Bytes } from "../base/units.ts";
import { copyInside, kernelPages } from "../kernel/kernels.ts";

/** Tuning. */
const SHORT_BYTES: Bytes = 256;

export class ShardPool {
  readonly #slots: Slots;
  readonly #short: Slots;
  /** One view a slot, made when it is first asked for; all are let go of when pages may have gone. */
  #views: DataView[] = [];
  #lengths = new Int32Array(64);

  constructor(shardBytesMax: Bytes) {
    this.#slots = new Slots(shardBytesMax, Number.POSITIVE_INFINITY, kernelPages);
    this.#short = new Slots(Math.min(SHORT_BYTES, shardBytesMax), Number.POSITIVE_INFINITY, kernelPages);
  }

  /** Of all decoders. */
  get bytesHeld(): Bytes {
    return this.#slots.bytesHeld + this.#short.bytesHeld;
  }

  /** Slots that are out. */
  get out(): number {
    return this.#slots.out + this.#short.out;
  }

  /** A slot for `length` bytes. */
  take(length: Bytes): number {
    const slot = length <= SHORT_BYTES ? (this.#short.take() << 1) | 1 : this.#slots.take() << 1;
    if (slot >= this.#lengths.length) {
      const longer = new Int32Array(Math.max(2 * this.#lengths.length, slot + 1));
      longer.set(this.#lengths);
      this.#lengths = longer;
    }
    this.#lengths[slot] = length;
    return slot;
  }

  give(slot: number): void {
    this.#slotsOf(slot).give(slot >> 1);
  }

  /** Copies bytes[start…end) to the slot; `view` is over the same bytes. */
  fill(slot: number, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (!copyInside(bytes, start, end, this.page(slot), this.offset(slot))) copy(view, start, end, this.view(slot));
  }

  /** Most bytes that the slot has room for. */
  slotBytes(slot: number): Bytes {
    return this.#slotsOf(slot).slotBytes;
  }

  length(slot: number): Bytes {
    return this.#lengths[slot]!;
  }

  /** The array that holds the slot, from `offset` on. */
  page(slot: number): Uint8Array {
    return this.#slotsOf(slot).page(slot >> 1);
  }

  offset(slot: number): number {
    return this.#slotsOf(slot).offset(slot >> 1);
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
    this.#short.trim();
    this.#views = [];
  }

  #slotsOf(slot: number): Slots {
    return (slot & 1) === 0 ? this.#slots : this.#short;
  }

  #makeView(slot: number): DataView {
    const page = this.page(slot);
    return new DataView(page.buffer, page.byteOffset + this.offset(slot), this.slotBytes(slot));
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
