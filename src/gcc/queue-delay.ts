/**
 * How long packets wait in the path: their one-way delay above the least one seen for a minute.
 *
 *   arrival − send time ─▶ least of a feedback ─▶ − base = delay       base: least of the last 60 s, in buckets of 10 s
 *
 * The clocks of both ends differ by an unknown, nearly constant offset, which the base takes out; a drift of 100 ppm is 6 ms in its 60 s. A call
 * that begins while the queue is full takes the queue's least for the base: `delay` is then too small, never too large.
 *
 * Source: none in libwebrtc, whose detector sees only how the delay changes; the base is RFC 6817 section 3.4.1's base history.
 */
import type { Micros } from "../base/units.ts";
import type { TransportFeedback } from "./packet-result.ts";

/** Tuning. */
const BUCKETS = 6;
const BUCKET_TIME: Micros = 10_000_000;
/** What an empty path may seem to wait: this, and a multiple of how much one feedback differs from the next. */
const EMPTY: Micros = 5000;
const EMPTY_JITTERS = 3;
const EMPTY_MAX: Micros = 25_000;
const JITTER_WEIGHT = 1 / 32;

export class QueueDelay {
  /** Least wait among the packets of the last feedback; 0 before the first. */
  delay: Micros = 0;
  readonly #least = new Float64Array(BUCKETS).fill(Number.POSITIVE_INFINITY);
  #bucket = 0;
  #bucketEnd: Micros = Number.NaN;
  #jitter: Micros = 0;
  #emptySince: Micros = Number.NaN;

  /** Takes a feedback that was sorted; borrowed. */
  receive(feedback: TransportFeedback): void {
    if (feedback.received === 0) return;
    const now = feedback.feedbackTime;
    let oneWay = Number.POSITIVE_INFINITY;
    for (let k = 0; k < feedback.received; k++) {
      const i = feedback.order[k]!;
      const one = feedback.receiveTime[i]! - feedback.sendTime[i]!;
      if (one < oneWay) oneWay = one;
    }
    this.#turnBuckets(now);
    if (oneWay < this.#least[this.#bucket]!) this.#least[this.#bucket] = oneWay;
    let base = oneWay;
    for (let i = 0; i < BUCKETS; i++) if (this.#least[i]! < base) base = this.#least[i]!;
    const delay = oneWay - base;
    this.#jitter += JITTER_WEIGHT * (Math.abs(delay - this.delay) - this.#jitter);
    this.delay = delay;
    if (delay > Math.min(EMPTY + EMPTY_JITTERS * this.#jitter, EMPTY_MAX)) this.#emptySince = Number.NaN;
    else if (Number.isNaN(this.#emptySince)) this.#emptySince = now;
  }

  /** The receiver's clock was set: what was known of its offset is forgotten. */
  reset(): void {
    this.#least.fill(Number.POSITIVE_INFINITY);
    this.#bucketEnd = Number.NaN;
    this.#emptySince = Number.NaN;
    this.delay = 0;
  }

  /** How long the queue has been empty, or nearly so; 0 while it is not. */
  emptyFor(now: Micros): Micros {
    return Number.isNaN(this.#emptySince) ? 0 : now - this.#emptySince;
  }

  #turnBuckets(now: Micros): void {
    if (Number.isNaN(this.#bucketEnd)) this.#bucketEnd = now + BUCKET_TIME;
    // After a long silence nothing that was known holds any more.
    for (let turns = 0; now >= this.#bucketEnd && turns < BUCKETS; turns++) {
      this.#bucket = (this.#bucket + 1) % BUCKETS;
      this.#least[this.#bucket] = Number.POSITIVE_INFINITY;
      this.#bucketEnd += BUCKET_TIME;
    }
    if (now >= this.#bucketEnd) this.#bucketEnd = now + BUCKET_TIME;
  }
}
