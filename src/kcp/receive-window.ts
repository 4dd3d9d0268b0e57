/**
 * Segments that came in, in one ring indexed by sequence number.
 *
 *        head                 nxt                         nxt + rcvWnd
 *         │  in order, unread  │  gaps and early segments   │
 *   ──────┼────────────────────┼────────────────────────────┼──────
 *
 * At most rcvWnd segments are unread and at most rcvWnd lie behind the first gap, so memory is bounded by twice the window whatever the
 * peer sends. Segments without data, which a kcptun peer never sends, move `nxt` and take no room among the unread unless data is before them.
 */
import { seqAdd, seqDiff } from "../base/seq.ts";
import { Slots } from "../base/slots.ts";
import type { Bytes, Seq32 } from "../base/units.ts";
import { copyInside, takeRegion } from "../kernel/kernels.ts";
import { SlotViews, SourceViews } from "./views.ts";

const ABSENT = -1;

/** What became of a segment. */
export type Placed = "stored" | "repeat" | "outside";

export class ReceiveWindow {
  readonly rcvWnd: number;
  /** Oldest segment not yet read to its end. */
  head: Seq32 = 0;
  /** First segment that is missing, or that waits because rcvWnd segments are unread. */
  nxt: Seq32 = 0;
  /** Bytes in order that can be read now. */
  readable: Bytes = 0;
  /** Bytes of segment `head` already read. */
  #headRead: Bytes = 0;
  readonly #mask: number;
  readonly #slot: Int32Array;
  readonly #length: Uint16Array;
  readonly #slots: Slots;
  readonly #views: SlotViews;
  readonly #source = new SourceViews();

  constructor(rcvWnd: number, payloadBytesMax: Bytes, firstSn: Seq32 = 0) {
    const capacity = 2 ** Math.ceil(Math.log2(2 * rcvWnd));
    this.rcvWnd = rcvWnd;
    this.head = firstSn;
    this.nxt = firstSn;
    this.#mask = capacity - 1;
    this.#slot = new Int32Array(capacity).fill(ABSENT);
    this.#length = new Uint16Array(capacity);
    this.#slots = new Slots(payloadBytesMax, 2 * rcvWnd, takeRegion);
    this.#views = new SlotViews(this.#slots);
  }

  /** Segments in order and unread. */
  get unread(): number {
    return seqDiff(this.nxt, this.head);
  }

  /** Free places to tell the peer. */
  get unused(): number {
    return Math.max(0, this.rcvWnd - this.unread);
  }

  /** Longest data of a segment that is taken. */
  get payloadBytesMax(): Bytes {
    return this.#slots.slotBytes;
  }

  /** Bytes held for payloads. */
  get bytesHeld(): Bytes {
    return this.#slots.bytesHeld;
  }

  /** Copies the data of segment `sn` from bytes[start…end), at most payloadBytesMax. */
  put(sn: Seq32, bytes: Uint8Array, start: number, end: number): Placed {
    const ahead = seqDiff(sn, this.nxt);
    if (ahead < 0) return "repeat";
    if (ahead >= this.rcvWnd) return "outside";
    const i = sn & this.#mask;
    if (this.#slot[i] !== ABSENT) return "repeat";
    const slot = this.#slots.take();
    if (slot < 0) return "outside";
    const page = this.#slots.page(slot);
    const offset = this.#slots.offset(slot);
    if (!copyInside(bytes, start, end, page, offset)) this.#source.copy(bytes, start, end, page, offset);
    this.#slot[i] = slot;
    this.#length[i] = end - start;
    this.#order();
    return "stored";
  }

  /** Moves `nxt` over everything that is now in order, as long as the unread ones fit the window. */
  #order(): void {
    while (this.unread < this.rcvWnd) {
      const i = this.nxt & this.#mask;
      if (this.#slot[i] === ABSENT) return;
      this.readable += this.#length[i]!;
      this.nxt = seqAdd(this.nxt, 1);
      if (this.readable === 0) this.#release();
    }
  }

  /** Reads bytes in order into into[offset…limit); answers how many. */
  read(into: Uint8Array, offset: number, limit: number): Bytes {
    let at = offset;
    while (this.unread > 0) {
      const i = this.head & this.#mask;
      const length = this.#length[i]!;
      const left = length - this.#headRead;
      const n = Math.min(left, limit - at);
      if (n > 0) {
        this.#copyOut(this.#slot[i]!, length, n, into, at);
        at += n;
        this.#headRead += n;
      }
      if (n < left) break;
      this.#release();
    }
    this.readable -= at - offset;
    this.#order();
    return at - offset;
  }

  /** Copies the next `n` of the slot's `length` bytes to into[at…). */
  #copyOut(slot: number, length: Bytes, n: Bytes, into: Uint8Array, at: number): void {
    const from = this.#slots.offset(slot) + this.#headRead;
    if (copyInside(this.#slots.page(slot), from, from + n, into, at)) return;
    const view = this.#views.of(slot, length);
    into.set(n === length ? view : view.subarray(this.#headRead, this.#headRead + n), at);
  }

  /** The segment at `head` has been read. */
  #release(): void {
    const i = this.head & this.#mask;
    this.#slots.give(this.#slot[i]!);
    this.#slot[i] = ABSENT;
    this.#headRead = 0;
    this.head = seqAdd(this.head, 1);
  }
}
