/**
 * Payloads of the send window in one slab that doubles as the window fills, and the inlet in front of them, where the caller may compose what it sends:
 * within one buffer bytes move by `copyWithin`, which needs no view, and a view per segment would be garbage per segment.
 *
 *   [ inlet | slot 0 | slot 1 | … ]      slots hold one segment's data each
 */
import type { Bytes } from "../base/units.ts";
import { SourceViews } from "./views.ts";

/** Tuning. */
const SLOTS_AT_FIRST = 32;

export class SendStore {
  /** The slab; replaced when it grows, so it is asked for anew before each use. */
  bytes: Uint8Array;
  view: DataView;
  readonly inletBytes: Bytes;
  readonly #slotBytes: Bytes;
  readonly #capacity: number;
  #slots = 0;
  readonly #free: Int32Array;
  #freeLength = 0;
  #views: (Uint8Array | undefined)[] = [];
  readonly #source = new SourceViews();

  constructor(slotBytes: Bytes, capacity: number, inletBytes: Bytes) {
    this.inletBytes = inletBytes;
    this.#slotBytes = slotBytes;
    this.#capacity = capacity;
    this.#free = new Int32Array(capacity);
    this.bytes = new Uint8Array(inletBytes);
    this.view = new DataView(this.bytes.buffer);
    this.#grow(Math.min(SLOTS_AT_FIRST, capacity));
  }

  get bytesHeld(): Bytes {
    return this.bytes.length;
  }

  /** Makes sure that `n` slots can be taken; false beyond the capacity. The inlet keeps its content. */
  reserve(n: number): boolean {
    if (n <= this.#freeLength) return true;
    const needed = this.#slots - this.#freeLength + n;
    if (needed > this.#capacity) return false;
    let slots = this.#slots;
    while (slots < needed) slots = Math.min(slots * 2, this.#capacity);
    this.#grow(slots);
    return true;
  }

  /** A slot; `reserve` has seen to it that there is one. */
  take(): number {
    return this.#free[--this.#freeLength]!;
  }

  /** First byte of the slot that the take after `later` others will answer. */
  nextOffset(later: number): number {
    return this.offset(this.#free[this.#freeLength - 1 - later]!);
  }

  give(slot: number): void {
    this.#free[this.#freeLength++] = slot;
  }

  /** Copies bytes[start…end), which may be of the inlet, to the slot's byte `at` on. */
  fill(slot: number, at: number, bytes: Uint8Array, start: number, end: number): void {
    // `| 0`: a sum the compiler takes for a double would be boxed at every call.
    const target = (this.offset(slot) + at) | 0;
    if (bytes === this.bytes) bytes.copyWithin(target, start, end);
    else this.#source.copy(bytes, start, end, this.bytes, target);
  }

  /** The first `length` bytes of the slot; borrowed until it is given back. Made anew only when the length changes. */
  payload(slot: number, length: Bytes): Uint8Array {
    const known = this.#views[slot];
    if (known !== undefined && known.length === length) return known;
    const start = this.offset(slot);
    const made = this.bytes.subarray(start, start + length);
    this.#views[slot] = made;
    return made;
  }

  /** First byte of the slot in `bytes`. */
  offset(slot: number): number {
    return (this.inletBytes + Math.imul(slot, this.#slotBytes)) | 0;
  }

  #grow(slots: number): void {
    const grown = new Uint8Array(this.inletBytes + slots * this.#slotBytes);
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
    this.#views = new Array(slots).fill(undefined);
    for (let slot = slots - 1; slot >= this.#slots; slot--) this.#free[this.#freeLength++] = slot;
    this.#slots = slots;
  }
}
