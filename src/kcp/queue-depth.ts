/** How much waits in the queue on the path, by how much later than the quickest segments come: at most, and whether it was as much lately. */
import type { Bytes, Millis } from "../base/units.ts";

/** Tuning: two arrivals so close one behind another; one alone may be a stalled machine's. */
const CLOSE_MS: Millis = 10;
/** The queue was full when it held this share of the most, and that much. */
const FULL_SHARE = 0.7;
const FULL_LEAST: Bytes = 10_000;

export class QueueDepth {
  /** The most that waited. */
  most: Bytes = 0;
  #at: Millis = Number.NEGATIVE_INFINITY;
  #queued: Bytes = 0;
  #fullAt: Millis = Number.NEGATIVE_INFINITY;

  /** Before a segment so much had waited. */
  take(now: Millis, queued: Bytes): void {
    if (now <= this.#at) {
      this.#queued = Math.min(this.#queued, queued);
      return;
    }
    const waited = now - this.#at < CLOSE_MS ? Math.min(queued, this.#queued) : 0;
    this.#at = now;
    this.#queued = queued;
    this.most = Math.max(this.most, waited);
    if (waited >= FULL_LEAST && waited >= FULL_SHARE * this.most) this.#fullAt = now;
  }

  /** It has held as much as says that there is one. */
  get seen(): boolean {
    return this.most >= FULL_LEAST;
  }

  fullSince(at: Millis): boolean {
    return this.#fullAt >= at;
  }
}
