/** So many a second, and at most a burst at once. */
import type { Millis } from "./units.ts";

export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: Millis;

  constructor(perSecond: number, burst: number, now: Millis) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes so many, or none if there are fewer. */
  take(count: number, now: Millis): boolean {
    if (now > this.#at) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
      this.#at = now;
    }
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** It has been full for a while: a new one would be the same. */
  idle(now: Millis): boolean {
    return this.#tokens + (now - this.#at) * this.#perMs >= this.#burst;
  }
}
