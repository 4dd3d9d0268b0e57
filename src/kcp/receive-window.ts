/**
 * Segments that came in, in one ring indexed by sequence number.
 *
 *        head                 nxt                         nxt + rcvWnd
 *         │  in order, unread  │  gaps and early segments   │
 *   ──────┼────────────────────┼────────────────────────────┼──────
 *
 * At most rcvWnd segments are unread and at most rcvWnd lie behind the first gap, so memory is bounded by twice the window whatever the
 * peer sends; the ring grows with what is in it. Segments without data, which a kcptun peer never sends, move `nxt` and take no room among
 * the unread unless data is before them.
 */
import { assert } from "../base/assert.ts";
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Bytes, Seq32 } from "../base/units.ts";
import { SegmentStore } from "./segment-store.ts";

/** Tuning: so few that they lie in the heap, with no memory of their own. */
const PLACES_AT_FIRST = 8;

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
  readonly #store: SegmentStore;
  readonly #placesMax: number;
  #mask = PLACES_AT_FIRST - 1;
  /** Of segment sn, at 2 · (sn & mask): its slot and its length. */
  #places = emptyPlaces();
  /** Places that hold a segment. */
  #held = 0;

  /** `store` may serve several windows. */
  constructor(rcvWnd: number, store: SegmentStore, firstSn: Seq32 = 0) {
    this.rcvWnd = rcvWnd;
    this.head = firstSn;
    this.nxt = firstSn;
    this.#store = store;
    this.#placesMax = Math.max(PLACES_AT_FIRST, 2 ** Math.ceil(Math.log2(2 * rcvWnd)));
  }

  /** Segments in order and unread. */
  get unread(): number {
    return seqDiff(this.nxt, this.head);
  }

  /** Free places to tell the peer. */
  get unused(): number {
    return Math.max(0, this.rcvWnd - this.unread);
  }

  /** Bytes held for payloads. */
  get bytesHeld(): Bytes {
    return this.#held * SegmentStore.payloadBytesMax;
  }

  /** Copies the data of segment `sn` from bytes[start…end), at most SegmentStore.payloadBytesMax. */
  put(sn: Seq32, bytes: Uint8Array, start: number, end: number): Placed {
    const ahead = seqDiff(sn, this.nxt);
    if (ahead < 0) return "repeat";
    if (ahead >= this.rcvWnd) return "outside";
    if (seqDiff(sn, this.head) > this.#mask) this.#grow(seqDiff(sn, this.head) + 1);
    const i = (sn & this.#mask) << 1;
    if (this.#places[i] !== ABSENT) return "repeat";
    this.#places[i] = this.#store.keep(bytes, start, end);
    this.#places[i + 1] = end - start;
    this.#held++;
    this.#order();
    return "stored";
  }

  /** Segment `sn`, not below `nxt`, has come. */
  has(sn: Seq32): boolean {
    return seqDiff(sn, this.head) <= this.#mask && this.#places[(sn & this.#mask) << 1] !== ABSENT;
  }

  /** Some of from…to−1 have not come. */
  misses(from: Seq32, to: Seq32): boolean {
    for (let sn = seqDiff(from, this.nxt) > 0 ? from : this.nxt; seqDiff(sn, to) < 0; sn = seqAdd(sn, 1)) if (!this.has(sn)) return true;
    return false;
  }

  /** Moves `nxt` over everything that is now in order, as long as the unread ones fit the window. */
  #order(): void {
    while (this.unread < this.rcvWnd) {
      // A ring that is full has its first place behind its last one.
      if (this.unread > this.#mask) return;
      const i = (this.nxt & this.#mask) << 1;
      if (this.#places[i] === ABSENT) return;
      this.readable += this.#places[i + 1]!;
      this.nxt = seqAdd(this.nxt, 1);
      if (this.readable === 0) this.#release();
    }
  }

  /** Reads bytes in order into into[offset…limit); answers how many. */
  read(into: Uint8Array, offset: number, limit: number): Bytes {
    let at = offset;
    while (this.unread > 0) {
      const i = (this.head & this.#mask) << 1;
      const length = this.#places[i + 1]!;
      const left = length - this.#headRead;
      const n = Math.min(left, limit - at);
      if (n > 0) {
        this.#store.copyOut(this.#places[i]!, length, this.#headRead, n, into, at);
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

  /** Nothing has come for long: gives back room that was made for bursts; false when something waits in it. */
  rest(): boolean {
    if (this.#held > 0) return false;
    if (this.#mask < PLACES_AT_FIRST) return true;
    this.#mask = PLACES_AT_FIRST - 1;
    this.#places = emptyPlaces();
    return true;
  }

  /** The session has ended: gives all slots back. Nothing may be put or read any more. */
  release(): void {
    for (let i = 0; i < this.#places.length; i += 2) if (this.#places[i] !== ABSENT) this.#store.give(this.#places[i]!);
    this.#places = emptyPlaces();
    this.#mask = PLACES_AT_FIRST - 1;
    this.#held = 0;
    this.readable = 0;
    this.head = this.nxt;
  }

  /** Makes at least `places`; every segment moves to where the longer ring has it. */
  #grow(places: number): void {
    const size = 2 ** Math.ceil(Math.log2(places));
    assert(size <= this.#placesMax, "a segment is put within twice the window");
    const grown = new Int32Array(2 * size).fill(ABSENT);
    const mask = size - 1;
    for (let k = 0; k <= this.#mask; k++) {
      const sn = this.head + k;
      const from = (sn & this.#mask) << 1;
      const to = (sn & mask) << 1;
      grown[to] = this.#places[from]!;
      grown[to + 1] = this.#places[from + 1]!;
    }
    this.#places = grown;
    this.#mask = mask;
  }

  /** The segment at `head` has been read. */
  #release(): void {
    const i = (this.head & this.#mask) << 1;
    this.#store.give(this.#places[i]!);
    this.#places[i] = ABSENT;
    this.#held--;
    this.#headRead = 0;
    this.head = seqAdd(this.head, 1);
  }
}

function emptyPlaces(): Int32Array<ArrayBuffer> {
  return new Int32Array(2 * PLACES_AT_FIRST).fill(ABSENT);
}
