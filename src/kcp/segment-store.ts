/**
 * Payloads of received segments, in slots. Sessions share one: what one does not need serves another, and an idle session holds nothing.
 *
 * Each session bounds what it takes by its receive window; the store itself has no bound.
 */
import { Slots } from "../base/slots.ts";
import type { Bytes } from "../base/units.ts";
import { copyInside, kernelPages } from "../kernel/kernels.ts";
import { HEADER_BYTES, PACKET_BYTES_MAX } from "./segment.ts";
import { SlotViews, SourceViews } from "./views.ts";

export class SegmentStore {
  /** Longest payload of a segment that a peer may send. */
  static readonly payloadBytesMax: Bytes = PACKET_BYTES_MAX - HEADER_BYTES;

  readonly #slots = new Slots(SegmentStore.payloadBytesMax, Number.POSITIVE_INFINITY, kernelPages);
  /** Where the kernels' memory is full, or there are none. */
  readonly #views = new SlotViews(this.#slots);
  readonly #source = new SourceViews();

  /** Of all sessions. */
  get bytesHeld(): Bytes {
    return this.#slots.bytesHeld;
  }

  /** Slots that are out. */
  get out(): number {
    return this.#slots.out;
  }

  /** Copies bytes[start…end), at most payloadBytesMax, to a slot; whoever keeps its number gives it back. */
  keep(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slots.take();
    const page = this.#slots.page(slot);
    const offset = this.#slots.offset(slot);
    if (!copyInside(bytes, start, end, page, offset)) this.#source.copy(bytes, start, end, page, offset);
    return slot;
  }

  /** Copies `n` bytes from byte `from` on of a slot that holds `length` to into[at…). */
  copyOut(slot: number, length: Bytes, from: Bytes, n: Bytes, into: Uint8Array, at: number): void {
    const start = this.#slots.offset(slot) + from;
    if (copyInside(this.#slots.page(slot), start, start + n, into, at)) return;
    const view = this.#views.of(slot, length);
    into.set(n === length ? view : view.subarray(from, from + n), at);
  }

  give(slot: number): void {
    this.#slots.give(slot);
  }

  /** Gives back memory that nobody has needed since this was called before. */
  trim(): void {
    this.#slots.trim();
    this.#views.clear();
  }
}
