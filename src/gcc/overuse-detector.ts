/**
 * Decides from a measure of the growth of delay whether the path is overused, with a threshold that adapts to how noisy the path is.
 *
 *   signal > threshold for more than 10 ms, seen twice, and the slope not falling ─▶ "overusing"
 *   signal < −threshold                                                         ─▶ "underusing"
 *   threshold += k · (|signal| − threshold) · Δt,   k = 0.0087 upwards, 0.039 downwards, 6…600
 *
 * Without the adaptation a flow that competes with a loss-based one would be starved: the other's queue looks like its own overuse.
 *
 * Source: reference/gcc.md C1, C3; libwebrtc f3ae3eb6 goog_cc/trendline_estimator and remote_bitrate_estimator/overuse_detector, which hold
 * the same rule twice. Deviations: none.
 */
import type { Millis } from "../base/units.ts";
import type { BandwidthUsage } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const THRESHOLD_INITIAL = 12.5;
const THRESHOLD_MIN = 6;
const THRESHOLD_MAX = 600;
const K_UP = 0.0087;
const K_DOWN = 0.039;
/** Signals further above the threshold are spikes, to which it does not adapt. */
const ADAPT_OFFSET_MAX = 15;
const ADAPT_TIME_MAX: Millis = 100;
const OVERUSE_TIME: Millis = 10;

export class OveruseDetector {
  state: BandwidthUsage = "normal";
  threshold = THRESHOLD_INITIAL;
  #adaptedAt: Millis = Number.NaN;
  #previousSlope = 0;
  /** How long the signal has been above the threshold; −1 = it is not. */
  #overuse: Millis = -1;
  #overuses = 0;

  /**
   * Takes a sample: `signal` is compared with the threshold, `slope` with the slope before, `sendDelta` is how long the sample stands for.
   * `now` is the arrival time of the sample.
   */
  detect(signal: number, slope: number, sendDelta: Millis, now: Millis): void {
    if (signal > this.threshold) {
      // When the signal has just passed the threshold, it did so some time since the last sample: half of it.
      this.#overuse = this.#overuse < 0 ? sendDelta / 2 : this.#overuse + sendDelta;
      this.#overuses++;
      if (this.#overuse > OVERUSE_TIME && this.#overuses > 1 && slope >= this.#previousSlope) {
        this.#overuse = 0;
        this.#overuses = 0;
        this.state = "overusing";
      }
    } else {
      this.#overuse = -1;
      this.#overuses = 0;
      this.state = signal < -this.threshold ? "underusing" : "normal";
    }
    this.#previousSlope = slope;
    this.#adapt(Math.abs(signal), now);
  }

  reset(): void {
    this.state = "normal";
    this.threshold = THRESHOLD_INITIAL;
    this.#adaptedAt = Number.NaN;
    this.#previousSlope = 0;
    this.#overuse = -1;
    this.#overuses = 0;
  }

  #adapt(magnitude: number, now: Millis): void {
    const elapsed = Number.isNaN(this.#adaptedAt) ? 0 : Math.min(now - this.#adaptedAt, ADAPT_TIME_MAX);
    this.#adaptedAt = now;
    if (magnitude > this.threshold + ADAPT_OFFSET_MAX) return;
    const k = magnitude < this.threshold ? K_DOWN : K_UP;
    const threshold = this.threshold + k * (magnitude - this.threshold) * elapsed;
    this.threshold = Math.min(Math.max(threshold, THRESHOLD_MIN), THRESHOLD_MAX);
  }
}
