/** Token bucket that drops what exceeds a rate, as networks treat UDP they dislike: no queue, no delay. */
import type { BitsPerSecond, Bytes, Millis } from "../base/units.ts";

export class Policer {
  #tokens: Bytes = 0;
  /** −1 before the first datagram, which finds the bucket full. */
  #filledAt: Millis = -1;

  /** Does a datagram of `length` bytes pass at `now`? It pays if it does. */
  admits(now: Millis, length: Bytes, rate: BitsPerSecond, burst: Bytes): boolean {
    this.#tokens = this.#filledAt < 0 ? burst : Math.min(burst, this.#tokens + ((now - this.#filledAt) * rate) / 8000);
    this.#filledAt = now;
    if (this.#tokens < length) return false;
    this.#tokens -= length;
    return true;
  }
}
