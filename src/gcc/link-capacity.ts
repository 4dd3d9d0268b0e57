/**
 * What the path carried when it was last overused: a slow mean and a normalised variance of the acknowledged rate.
 *
 *   mean = 0.95 · mean + 0.05 · sample      deviation = √(normalised variance · mean), in kbit/s, normalised variance 0.4…2.5
 *   bounds = mean ± 3 · deviation           outside of them the estimate is worthless and the caller resets it
 *
 * Source: reference/gcc.md C2; libwebrtc f3ae3eb6 goog_cc/link_capacity_estimator. Deviations: none.
 */
import type { BitsPerSecond } from "../base/units.ts";

/** Tuning of libwebrtc; 0.4 and 2.5 are 14 and 35 kbit/s of deviation at 500 kbit/s. */
const OVERUSE_WEIGHT = 0.05;
const PROBE_WEIGHT = 0.5;
const VARIANCE_INITIAL = 0.4;
const VARIANCE_MIN = 0.4;
const VARIANCE_MAX = 2.5;
const DEVIATIONS = 3;

export class LinkCapacity {
  /** In kbit/s; NaN = no estimate. */
  #mean = Number.NaN;
  #variance = VARIANCE_INITIAL;

  get known(): boolean {
    return !Number.isNaN(this.#mean);
  }

  /** NaN when not known. */
  get estimate(): BitsPerSecond {
    return this.#mean * 1000;
  }

  /** Infinity when not known. */
  get upperBound(): BitsPerSecond {
    return this.known ? (this.#mean + DEVIATIONS * this.#deviation) * 1000 : Number.POSITIVE_INFINITY;
  }

  /** 0 when not known. */
  get lowerBound(): BitsPerSecond {
    return this.known ? Math.max(0, this.#mean - DEVIATIONS * this.#deviation) * 1000 : 0;
  }

  onOveruse(acknowledged: BitsPerSecond): void {
    this.#update(acknowledged / 1000, OVERUSE_WEIGHT);
  }

  onProbe(rate: BitsPerSecond): void {
    this.#update(rate / 1000, PROBE_WEIGHT);
  }

  /** The mean is forgotten; how much samples vary stays known. */
  reset(): void {
    this.#mean = Number.NaN;
  }

  get #deviation(): number {
    return Math.sqrt(this.#variance * this.#mean);
  }

  #update(sample: number, weight: number): void {
    this.#mean = this.known ? (1 - weight) * this.#mean + weight * sample : sample;
    const error = this.#mean - sample;
    const variance = (1 - weight) * this.#variance + (weight * error * error) / Math.max(this.#mean, 1);
    this.#variance = Math.min(Math.max(variance, VARIANCE_MIN), VARIANCE_MAX);
  }
}
