/**
 * Which estimates of the receiver are worth a REMB message: a fall below 97 % of the last at once, anything else every 200 ms.
 *
 * Source: reference/gcc.md C3; libwebrtc f3ae3eb6 congestion_controller/remb_throttler. Deviations: none.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const INTERVAL: Micros = 200_000;
const THRESHOLD_PERCENT = 103;

export class RembThrottle {
  /** Most the application wants to receive; caps what is sent. */
  rateMax: BitsPerSecond = Number.POSITIVE_INFINITY;
  #sentAt: Micros = Number.NEGATIVE_INFINITY;
  #sent: BitsPerSecond = Number.POSITIVE_INFINITY;

  /** The rate to send now, or 0 = nothing. */
  offer(rate: BitsPerSecond, now: Micros): BitsPerSecond {
    if ((rate * THRESHOLD_PERCENT) / 100 > this.#sent && now < this.#sentAt + INTERVAL) return 0;
    this.#sentAt = now;
    this.#sent = rate;
    return Math.min(rate, this.rateMax);
  }

  /** Sets the most the application wants to receive; answers the rate to send now, or 0 = what was sent serves. */
  limit(rate: BitsPerSecond, now: Micros): BitsPerSecond {
    this.rateMax = rate;
    if (now - this.#sentAt < INTERVAL && this.#sent !== 0 && this.#sent <= rate) return 0;
    return rate;
  }
}
