/** Bits per second over the last whole seconds, in buckets of a second. */
import type { BitsPerSecond, Bytes, Millis } from "../base/units.ts";

export class RateMeter {
  readonly #buckets = new Float64Array(BUCKETS);
  #second = -1;

  add(now: Millis, bytes: Bytes): void {
    this.#turn(now);
    const slot = this.#second % BUCKETS;
    this.#buckets[slot] = this.#buckets[slot]! + bytes;
  }

  /** Averaged over the whole seconds before this one. */
  rate(now: Millis): BitsPerSecond {
    this.#turn(now);
    let bytes = 0;
    for (let i = 0; i < BUCKETS; i++) if (i !== this.#second % BUCKETS) bytes += this.#buckets[i]!;
    return (bytes * 8) / (BUCKETS - 1);
  }

  #turn(now: Millis): void {
    const second = Math.floor(now / 1000);
    if (this.#second < 0 || second - this.#second >= BUCKETS) this.#buckets.fill(0);
    else for (let s = this.#second + 1; s <= second; s++) this.#buckets[s % BUCKETS] = 0;
    this.#second = Math.max(second, this.#second);
  }
}

const BUCKETS = 4;
