/**
 * The slope of the queuing delay over the last groups of packets: least squares through 20 points (arrival, smoothed delay).
 *
 *   d = arrivalDelta − sendDelta      delay += d      smoothed = 0.9 · smoothed + 0.1 · delay
 *
 *   smoothed │        ∙∙          slope = (send rate − capacity) / capacity
 *            │     ∙∙             > 0 the queue grows, < 0 it drains
 *            │ ∙ ∙                signal = min(deltas, 60) · slope · 4, for the overuse detector
 *            └──────────── arrival
 *
 * Source: reference/gcc.md C1; libwebrtc f3ae3eb6 goog_cc/trendline_estimator.
 *
 * Deviations:
 *   - arrivals in microseconds, where libwebrtc rounds them to milliseconds for the abscissa
 *   - sorting and capping of the slope, which are off there, are not offered
 */
import { assert } from "../base/assert.ts";
import type { Micros } from "../base/units.ts";
import { OveruseDetector } from "./overuse-detector.ts";
import type { BandwidthUsage } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const WINDOW = 20;
const WINDOW_MIN = 10;
const WINDOW_MAX = 200;
const SMOOTHING = 0.9;
const GAIN = 4;
const DELTAS_WEIGHT_MAX = 60;
const DELTAS_MAX = 1000;
const DELTAS_MIN = 2;

export class Trendline {
  readonly #detector = new OveruseDetector();
  readonly #window: number;
  readonly #arrivals: Float64Array;
  readonly #smoothed: Float64Array;
  #points = 0;
  /** Place of the next point, which is that of the oldest once the window is full. */
  #next = 0;
  #deltas = 0;
  #firstArrival: Micros = 0;
  #delay = 0;
  #smoothedDelay = 0;
  #slope = 0;

  /** `window` is the number of points the line is laid through, 10…200. */
  constructor(window = WINDOW) {
    assert(window >= WINDOW_MIN && window <= WINDOW_MAX, `trendline window ${window}: ${WINDOW_MIN}…${WINDOW_MAX}`);
    this.#window = window;
    this.#arrivals = new Float64Array(window);
    this.#smoothed = new Float64Array(window);
  }

  get state(): BandwidthUsage {
    return this.#detector.state;
  }

  /** Milliseconds of queuing delay per millisecond; 0 until the window is full. */
  get slope(): number {
    return this.#slope;
  }

  get threshold(): number {
    return this.#detector.threshold;
  }

  /** Takes the deltas between two groups; `arrival` is that of the packet that completed the later one. */
  update(arrivalDelta: Micros, sendDelta: Micros, arrival: Micros): void {
    this.#add(arrivalDelta - sendDelta, arrival);
    if (this.#points === this.#window) this.#slope = this.#fit();
    if (this.#deltas < DELTAS_MIN) return;
    const signal = Math.min(this.#deltas, DELTAS_WEIGHT_MAX) * this.#slope * GAIN;
    this.#detector.detect(signal, this.#slope, sendDelta / 1000, arrival / 1000);
  }

  reset(): void {
    this.#detector.reset();
    this.#points = 0;
    this.#next = 0;
    this.#deltas = 0;
    this.#delay = 0;
    this.#smoothedDelay = 0;
    this.#slope = 0;
  }

  #add(delta: Micros, arrival: Micros): void {
    if (this.#deltas === 0) this.#firstArrival = arrival;
    if (this.#deltas < DELTAS_MAX) this.#deltas++;
    this.#delay += delta / 1000;
    this.#smoothedDelay = SMOOTHING * this.#smoothedDelay + (1 - SMOOTHING) * this.#delay;
    this.#arrivals[this.#next] = (arrival - this.#firstArrival) / 1000;
    this.#smoothed[this.#next] = this.#smoothedDelay;
    this.#next = this.#next + 1 === this.#window ? 0 : this.#next + 1;
    if (this.#points < this.#window) this.#points++;
  }

  /** Least squares; the slope stays as it was when all points arrived at once. */
  #fit(): number {
    const n = this.#window;
    let sumX = 0;
    let sumY = 0;
    for (let i = 0; i < n; i++) {
      sumX += this.#arrivals[i]!;
      sumY += this.#smoothed[i]!;
    }
    const meanX = sumX / n;
    const meanY = sumY / n;
    let covariance = 0;
    let variance = 0;
    for (let i = 0; i < n; i++) {
      const x = this.#arrivals[i]! - meanX;
      covariance += x * (this.#smoothed[i]! - meanY);
      variance += x * x;
    }
    return variance === 0 ? this.#slope : covariance / variance;
  }
}
