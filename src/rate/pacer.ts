/**
 * Spreads packets over time: one may leave when those before it have had their time at the rate, BURST_MS early, so that a timer's slack and the cost of
 * waking do not lower the rate.
 */
import type { Bytes, Millis } from "../base/units.ts";

/** Tuning. */
const BURST_MS: Millis = 2;
/**
 * A pause earns so many bytes at once: at any rate the first, at most the second, and between them so much of the time, in which acknowledgements show
 * what the path carries although next to nothing is sent.
 */
const BURST_BYTES: Bytes = 3000;
const BURST_BYTES_MAX: Bytes = 32_000;
const EARNED_MS: Millis = 3;
/** Who wakes late while packets wait makes up for so much of it; for the rest the path has lain idle, and a burst would only stand in its queue. */
const LATE_MS: Millis = 5;

export class Pacer {
  /** When what was sent has had its time. */
  #busyUntil: Millis = 0;
  /** Packets wait for their turn: whoever sends them says so before it sleeps. */
  waiting = false;

  /** How late who waited was woken, beyond what is made up for. */
  lateness(now: Millis): Millis {
    return this.waiting ? Math.max(0, now - this.#busyUntil - LATE_MS) : 0;
  }

  admits(now: Millis): boolean {
    return now >= this.#busyUntil - BURST_MS;
  }

  /** A packet of so many bytes left at `rate` bytes a millisecond. */
  spend(now: Millis, bytes: Bytes, rate: number): void {
    const earned = this.waiting ? LATE_MS : Math.min(EARNED_MS, BURST_BYTES_MAX / rate);
    const credit = Math.max(BURST_BYTES / rate, earned);
    this.#busyUntil = Math.max(this.#busyUntil, now - credit) + bytes / rate;
  }

  /** When the next packet may leave. */
  deadline(): Millis {
    return this.#busyUntil - BURST_MS / 2;
  }
}
