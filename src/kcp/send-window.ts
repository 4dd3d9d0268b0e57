/**
 * Segments on their way out, in one ring indexed by sequence number.
 *
 *        una                  nxt                  tail
 *         │    in flight       │      queued        │
 *   ──────┼────────────────────┼────────────────────┼──────
 *         ▲ first              ▲ never sent yet: the last one is topped up
 *
 * Fields in one typed array, payloads in slots: a segment costs no object. The ring has few places at first and doubles as the window is used. Segments in
 * flight and not acknowledged are linked, so that a scan passes over what selective ACKs have already settled. An acknowledged segment keeps its place
 * until `una` passes it.
 *
 * The peers move segments from a queue to a buffer at the start of a flush; here a segment is in flight once it has been written, which
 * is the same to the wire and leaves nothing half done when a flush is interrupted.
 */
import { assert } from "../base/assert.ts";
import type { Pieces } from "../base/pieces.ts";
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Bytes, Seq32 } from "../base/units.ts";
import type { Flight } from "./flight.ts";
import { PLACES_AT_FIRST } from "./flight-table.ts";
import { SendStore } from "./send-store.ts";

/** `fastack` of a segment that is not to be resent early before its next timeout. */
export const FASTACK_SPENT = 0xffffffff;

const NONE = -1;

/** Fields of a place, as words: an array for each would be most of what an idle session holds. */
export const SN = 0;
export const XMIT = 1;
export const RESENDTS = 2;
export const RTO = 3;
export const TS = 4;
export const FASTACK = 5;
export const LENGTH = 6;
const ACKED = 7;
const SLOT = 8;
/** Neighbours in the list of unacknowledged segments in flight, NONE at its ends. */
export const NEXT = 9;
const PREVIOUS = 10;
export const PLACE_WORDS = 11;

export class SendWindow {
  readonly mss: Bytes;
  /** Oldest segment the peer has not confirmed as part of its `una`. */
  una: Seq32 = 0;
  /** Next segment to be sent for the first time. */
  nxt: Seq32 = 0;
  /** Number the next queued segment gets. */
  tail: Seq32 = 0;
  /** The peer's window in segments, as it last told. */
  rmtWnd: number;

  mask = 0;
  /** Fields of segment sn from PLACE_WORDS · (sn & mask) on, and, over the same memory, those below 0 at times; both are replaced when the ring grows. */
  words!: Uint32Array;
  links!: Int32Array;
  /** Index of the oldest unacknowledged segment in flight, NONE when there is none. */
  first = NONE;
  #last = NONE;

  /** Some segment may have been overtaken since the last scan. */
  overtaken = false;
  /** No segment in flight is due before this (32-bit clock); only a bound, as the one that set it may be acknowledged. */
  earliest = 0;

  readonly store: SendStore;
  /** Is told of each segment that the peer has, where a rate controller decides. */
  readonly flight: Flight | undefined;
  readonly #segmentsMax: number;

  /** `segmentsMax`: most segments queued and in flight together. `headroom`: see SendStore. */
  constructor(mss: Bytes, segmentsMax: number, rmtWnd: number, headroom: Bytes, firstSn: Seq32 = 0, flight?: Flight) {
    this.mss = mss;
    this.flight = flight;
    this.rmtWnd = rmtWnd;
    this.una = firstSn;
    this.nxt = firstSn;
    this.tail = firstSn;
    this.#segmentsMax = segmentsMax;
    this.store = new SendStore(mss, segmentsMax, headroom);
    this.#makePlaces(PLACES_AT_FIRST);
  }

  /** Segments queued and in flight. */
  get waiting(): number {
    return seqDiff(this.tail, this.una);
  }

  /** Segments sent and not yet passed by `una`. */
  get inFlight(): number {
    return seqDiff(this.nxt, this.una);
  }

  get queued(): number {
    return seqDiff(this.tail, this.nxt);
  }

  /** Bytes held for payloads and for bookkeeping. */
  get bytesHeld(): Bytes {
    return this.store.bytesHeld + this.words.byteLength + (this.flight?.bytesHeld ?? 0);
  }

  /**
   * Makes room for `bytes` more; the caller has checked that the window admits them. Answers whether the ring grew: then every index of a segment is
   * another one.
   */
  expect(bytes: Bytes): boolean {
    const more = Math.ceil(Math.max(0, bytes - this.#roomInLast) / this.mss);
    assert(this.store.reserve(more), "the send window has a slot for every segment it admits");
    const needed = this.waiting + more;
    if (needed <= this.mask + 1) return false;
    assert(needed <= this.#segmentsMax, "the send window has a place for every segment it admits");
    this.#moveTo(2 ** Math.ceil(Math.log2(needed)));
    return true;
  }

  /** Gives back what past traffic needed; only while nothing waits. */
  rest(): void {
    assert(this.waiting === 0, "a window at rest is empty");
    this.store.rest();
    this.flight?.rest();
    if (this.mask + 1 === PLACES_AT_FIRST) return;
    this.#makePlaces(PLACES_AT_FIRST);
    this.flight?.resize(PLACES_AT_FIRST, this.nxt);
  }

  /** Queues bytes[start…end), which are copied; first the last queued segment is filled up. Room was made by `expect`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    const more = Math.min(this.#roomInLast, end - from);
    if (more > 0) {
      const i = (this.tail - 1) & this.mask;
      const held = this.words[PLACE_WORDS * i + LENGTH]!;
      this.store.fill(this.links[PLACE_WORDS * i + SLOT]!, held, bytes, from, from + more);
      this.words[PLACE_WORDS * i + LENGTH] = held + more;
      from += more;
    }
    while (from < end) {
      const n = Math.min(this.mss, end - from);
      this.#append(bytes, from, from + n);
      from += n;
    }
  }

  /** Adds to `into` where the next `bytes` bytes have their places: behind the last queued segment's data, then in new segments. Room was made by `expect`. */
  reserve(bytes: Bytes, into: Pieces): void {
    const { store, mss } = this;
    into.bytes = store.bytes;
    const more = Math.min(this.#roomInLast, bytes);
    if (more > 0) {
      const i = (this.tail - 1) & this.mask;
      const at = store.offset(this.links[PLACE_WORDS * i + SLOT]!) + this.words[PLACE_WORDS * i + LENGTH]!;
      into.add(at, at + more);
    }
    let later = 0;
    for (let left = bytes - more; left > 0; left -= mss) {
      const at = store.nextOffset(later++);
      into.add(at, at + Math.min(left, mss));
    }
  }

  /** Queues the first `n` bytes of what `reserve` has just laid out, which were written meanwhile. */
  commit(n: Bytes): void {
    const more = Math.min(this.#roomInLast, n);
    if (more > 0) {
      const i = (this.tail - 1) & this.mask;
      this.words[PLACE_WORDS * i + LENGTH] = this.words[PLACE_WORDS * i + LENGTH]! + more;
    }
    for (let left = n - more; left > 0; left -= this.mss) this.#enqueue(this.store.take(), Math.min(left, this.mss));
  }

  /** Bytes that the last segment still takes, 0 when it has been sent. */
  get #roomInLast(): Bytes {
    return this.queued > 0 ? this.mss - this.words[PLACE_WORDS * ((this.tail - 1) & this.mask) + LENGTH]! : 0;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const slot = this.store.take();
    this.store.fill(slot, 0, bytes, start, end);
    this.#enqueue(slot, end - start);
  }

  #enqueue(slot: number, length: Bytes): void {
    const i = this.tail & this.mask;
    this.words[PLACE_WORDS * i + SN] = this.tail;
    this.words[PLACE_WORDS * i + XMIT] = 0;
    this.words[PLACE_WORDS * i + FASTACK] = 0;
    this.words[PLACE_WORDS * i + LENGTH] = length;
    this.links[PLACE_WORDS * i + SLOT] = slot;
    this.words[PLACE_WORDS * i + ACKED] = 0;
    this.tail = seqAdd(this.tail, 1);
  }

  /** The segment at index `i` becomes the youngest in flight: it must be `nxt`. */
  launch(i: number): void {
    this.links[PLACE_WORDS * i + NEXT] = NONE;
    this.links[PLACE_WORDS * i + PREVIOUS] = this.#last;
    if (this.#last === NONE) this.first = i;
    else this.links[PLACE_WORDS * this.#last + NEXT] = i;
    this.#last = i;
    this.nxt = seqAdd(this.nxt, 1);
  }

  /** Copies the payload of the segment at index `i` to into[at…). */
  copyPayload(i: number, into: Uint8Array, at: number): void {
    this.store.copy(this.links[PLACE_WORDS * i + SLOT]!, this.words[PLACE_WORDS * i + LENGTH]!, into, at);
  }

  /** First byte of the payload of the segment at index `i` in the store's buffer. */
  placeOf(i: number): number {
    return this.store.offset(this.links[PLACE_WORDS * i + SLOT]!);
  }

  /** The peer has everything below `una`. Answers the bytes newly acknowledged, or −1 when it claims what was never sent. */
  slide(una: Seq32): Bytes {
    if (seqDiff(una, this.nxt) > 0) return -1;
    let bytes = 0;
    while (seqDiff(una, this.una) > 0) {
      bytes += this.#settle(this.una & this.mask);
      this.una = seqAdd(this.una, 1);
    }
    return bytes;
  }

  /** The peer has segment `sn`. Answers the bytes newly acknowledged, or −1 when `sn` is not in flight. */
  acknowledge(sn: Seq32): Bytes {
    if (seqDiff(sn, this.una) < 0 || seqDiff(sn, this.nxt) >= 0) return -1;
    return this.#settle(sn & this.mask);
  }

  /** Gives the payload back and leaves the list, once. */
  #settle(i: number): Bytes {
    if (this.words[PLACE_WORDS * i + ACKED] === 1) return 0;
    this.words[PLACE_WORDS * i + ACKED] = 1;
    this.flight?.settle(this.words[PLACE_WORDS * i + SN]!);
    this.store.give(this.links[PLACE_WORDS * i + SLOT]!);
    const next = this.links[PLACE_WORDS * i + NEXT]!;
    const previous = this.links[PLACE_WORDS * i + PREVIOUS]!;
    if (previous === NONE) this.first = next;
    else this.links[PLACE_WORDS * previous + NEXT] = next;
    if (next === NONE) this.#last = previous;
    else this.links[PLACE_WORDS * next + PREVIOUS] = previous;
    return this.words[PLACE_WORDS * i + LENGTH]!;
  }

  /**
   * An ACK for `sn` that echoes `ts` overtook every older segment that had been sent by then. Answers whether one of them has now been overtaken
   * `threshold` times.
   */
  overtake(sn: Seq32, ts: number, threshold: number): boolean {
    let reached = false;
    for (let i = this.first; i !== NONE && seqDiff(this.words[PLACE_WORDS * i + SN]!, sn) < 0; i = this.links[PLACE_WORDS * i + NEXT]!) {
      if (seqDiff(this.words[PLACE_WORDS * i + TS]!, ts) > 0) continue;
      const fastack = this.words[PLACE_WORDS * i + FASTACK]!;
      if (fastack === FASTACK_SPENT) continue;
      this.words[PLACE_WORDS * i + FASTACK] = fastack + 1;
      this.overtaken = true;
      if (fastack + 1 >= threshold) reached = true;
    }
    return reached;
  }

  #makePlaces(capacity: number): void {
    this.mask = capacity - 1;
    this.words = new Uint32Array(PLACE_WORDS * capacity);
    this.links = new Int32Array(this.words.buffer);
  }

  /** Moves all segments to a ring of `capacity` places. */
  #moveTo(capacity: number): void {
    const { words, links, mask } = this;
    this.#makePlaces(capacity);
    for (let sn = this.una; sn !== this.tail; sn = seqAdd(sn, 1)) {
      const from = PLACE_WORDS * (sn & mask);
      const to = PLACE_WORDS * (sn & this.mask);
      for (let field = 0; field < PLACE_WORDS; field++) this.words[to + field] = words[from + field]!;
      // What is queued is in no list yet.
      const linked = seqDiff(sn, this.nxt) < 0;
      this.links[to + NEXT] = linked ? moved(links[from + NEXT]!, words, this.mask) : NONE;
      this.links[to + PREVIOUS] = linked ? moved(links[from + PREVIOUS]!, words, this.mask) : NONE;
    }
    this.flight?.resize(capacity, this.nxt);
    this.first = moved(this.first, words, this.mask);
    this.#last = moved(this.#last, words, this.mask);
  }
}

/** The index, in a ring with `mask`, of the segment that had index `i` in the ring of `words`. */
function moved(i: number, words: Uint32Array, mask: number): number {
  return i === NONE ? NONE : words[PLACE_WORDS * i + SN]! & mask;
}
