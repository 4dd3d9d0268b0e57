/**
 * Payloads of the send window in one slab that doubles as the window fills. It lies in the kernels' memory where there is room: there bytes move without
 * a view being made for them, and datagrams leave from where they are kept.
 *
 *   [ headroom, slot 0 | headroom, slot 1 | … ]      a slot holds one segment's data, the headroom before it is for headers
 */
import { Region } from "../base/region.ts";
import type { Bytes } from "../base/units.ts";
import { copyInside, giveRegion, takeRegion } from "../kernel/kernels.ts";
import { SourceViews } from "./views.ts";

/** Tuning: an idle session keeps what it has said last until it is at rest, often in a single slot. */
const SLOTS_THEN = 4;
/** Slots begin with a line of the processor's cache, so that two never share one. */
const ALIGNMENT: Bytes = 64;

const nothing = Region.of(new Uint8Array(0));
const noSlots = new Int32Array(0);

export class SendStore {
  readonly #headroom: Bytes;
  /** From one slot to the next. */
  readonly #stride: Bytes;
  readonly #capacity: number;
  #slab = nothing;
  #slots = 0;
  #free = noSlots;
  #freeLength = 0;
  readonly #source = new SourceViews();
  /** Of slots, where the kernels' memory cannot be used. */
  #views: (Uint8Array | undefined)[] = [];

  /** `headroom`: bytes before each slot that a header may be written to. */
  constructor(slotBytes: Bytes, capacity: number, headroom: Bytes) {
    this.#headroom = headroom;
    this.#stride = Math.ceil((headroom + slotBytes) / ALIGNMENT) * ALIGNMENT;
    this.#capacity = capacity;
  }

  /** The buffer the slots lie in; another one when the store has grown. */
  get bytes(): Uint8Array {
    return this.#slab.bytes;
  }

  /** Over `bytes`. */
  get view(): DataView {
    return this.#slab.view;
  }

  get bytesHeld(): Bytes {
    return this.#slab.length;
  }

  /** Makes sure that `n` slots can be taken; false beyond the capacity. */
  reserve(n: number): boolean {
    if (n <= this.#freeLength) return true;
    const needed = this.#slots - this.#freeLength + n;
    if (needed > this.#capacity) return false;
    let slots = needed === 1 ? 1 : Math.max(this.#slots, SLOTS_THEN);
    while (slots < needed) slots *= 2;
    this.#grow(Math.min(slots, this.#capacity));
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

  /** Gives the slab back; only while no slot is out. */
  rest(): void {
    giveRegion(this.#slab);
    this.#slab = nothing;
    this.#views = [];
    this.#slots = 0;
    this.#free = noSlots;
    this.#freeLength = 0;
  }

  /** Copies bytes[start…end) to the slot's byte `at` on. */
  fill(slot: number, at: number, bytes: Uint8Array, start: number, end: number): void {
    // `| 0`: a sum the compiler takes for a double would be boxed at every call.
    const target = (this.offset(slot) + at) | 0;
    if (!copyInside(bytes, start, end, this.bytes, target)) this.#source.copy(bytes, start, end, this.bytes, target);
  }

  /** Copies the first `length` bytes of the slot to into[at…). */
  copy(slot: number, length: Bytes, into: Uint8Array, at: number): void {
    const start = this.offset(slot);
    if (!copyInside(this.bytes, start, start + length, into, at)) into.set(this.#payload(slot, length), at);
  }

  /** First byte of the slot in `bytes`. */
  offset(slot: number): number {
    return (this.#slab.at + this.#headroom + Math.imul(slot, this.#stride)) | 0;
  }

  /** Made anew only when the length changes. */
  #payload(slot: number, length: Bytes): Uint8Array {
    const known = this.#views[slot];
    if (known !== undefined && known.length === length) return known;
    const start = this.offset(slot);
    const made = this.bytes.subarray(start, start + length);
    this.#views[slot] = made;
    return made;
  }

  #grow(slots: number): void {
    const grown = takeRegion(slots * this.#stride);
    const old = this.#slab;
    if (!copyInside(old.bytes, old.at, old.end, grown.bytes, grown.at)) grown.bytes.set(old.bytes.subarray(old.at, old.end), grown.at);
    if (this.#slots > 0) giveRegion(old);
    const free = new Int32Array(slots);
    free.set(this.#free.subarray(0, this.#freeLength));
    this.#free = free;
    this.#slab = grown;
    this.#views = [];
    for (let slot = slots - 1; slot >= this.#slots; slot--) this.#free[this.#freeLength++] = slot;
    this.#slots = slots;
  }
}
