/**
 * The least rate of a sliding window of time: a queue in which rates only rise, so its head is the minimum.
 *
 *   push(t, r): drop what fell out of the window │ drop from the tail what is ≥ r │ append      amortised O(1)
 *
 * Source: reference/gcc.md B1; libwebrtc 2026-08-22 goog_cc/send_side_bandwidth_estimation: its minimum history, with 1 ms of slack.
 *
 * Deviations: the queue is bounded; when it is full the newest entry is merged into the one before it, which keeps the lower rate.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

const CAPACITY_DEFAULT = 256;
const SLACK: Micros = 1000;

export class RateMinimum {
  readonly #window: Micros;
  readonly #capacity: number;
  readonly #times: Float64Array;
  readonly #rates: Float64Array;
  #head = 0;
  #length = 0;
  /** Entries merged because the queue was full. */
  overflows = 0;

  constructor(window: Micros, capacity = CAPACITY_DEFAULT) {
    this.#window = window;
    this.#capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#rates = new Float64Array(capacity);
  }

  /** The least rate of the window, Infinity while nothing was pushed. */
  get minimum(): BitsPerSecond {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : this.#rates[this.#head]!;
  }

  push(now: Micros, rate: BitsPerSecond): void {
    while (this.#length > 0 && now - this.#times[this.#head]! + SLACK > this.#window) {
      this.#head = (this.#head + 1) % this.#capacity;
      this.#length--;
    }
    while (this.#length > 0 && rate <= this.#rates[this.#at(this.#length - 1)]!) this.#length--;
    if (this.#length === this.#capacity) {
      // Higher than the newest, so the minimum is not touched; the newest only lives longer.
      this.#times[this.#at(this.#length - 1)] = now;
      this.overflows++;
      return;
    }
    const at = this.#at(this.#length++);
    this.#times[at] = now;
    this.#rates[at] = rate;
  }

  clear(): void {
    this.#length = 0;
  }

  #at(index: number): number {
    return (this.#head + index) % this.#capacity;
  }
}
