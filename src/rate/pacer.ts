/**
 * Spreads packets over time: one may leave when those before it have had their time at the rate, BURST_MS early, so that a timer's slack and the cost of
 * waking do not lower the rate.
 */
import type { Bytes, Millis } from "../base/units.ts";

/** Tuning. */
const BURST_MS: Millis = 2;
/** A pause earns no more than this many bytes at once. */
const BURST_BYTES: Bytes = 3000;

export class Pacer {
  /** When what was sent has had its time. */
  #busyUntil: Millis = 0;

  admits(now: Millis): boolean {
    return now >= this.#busyUntil - BURST_MS;
  }

  /** A packet of so many bytes left at `rate` bytes a millisecond. */
  spend(now: Millis, bytes: Bytes, rate: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, now - BURST_BYTES / rate) + bytes / rate;
  }

  /** When the next packet may leave. */
  deadline(): Millis {
    return this.#busyUntil - BURST_MS / 2;
  }
}
