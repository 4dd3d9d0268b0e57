/**
 * The receiver's measure of the growth of delay: a Kalman filter over groups of packets that tells the time a larger frame takes from the time
 * that a growing queue takes.
 *
 *   arrivalDelta − sendDelta = slope · sizeDelta + offset + noise        state (slope, offset), observed through (sizeDelta, 1)
 *
 * `offset` times the number of deltas, at most 60, is the signal of the overuse detector.
 *
 * Source: reference/gcc.md C3; libwebrtc f3ae3eb6 remote_bitrate_estimator/overuse_estimator. Deviations: none.
 */
import type { Bytes, Millis } from "../base/units.ts";
import type { BandwidthUsage } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const SLOPE_INITIAL = 8 / 512;
const SLOPE_VARIANCE_INITIAL = 100;
const OFFSET_VARIANCE_INITIAL = 0.1;
const SLOPE_PROCESS_NOISE = 1e-13;
const OFFSET_PROCESS_NOISE = 1e-3;
const NOISE_VARIANCE_INITIAL = 50;
const NOISE_VARIANCE_MIN = 1;
const RESIDUAL_DEVIATIONS_MAX = 3;
const FRAME_PERIODS = 60;
const DELTAS_MAX = 1000;
const DELTAS_WEIGHT_MAX = 60;
/** The noise adapts faster over the first 300 deltas: 10 s at 30 frames a second. */
const NOISE_WEIGHT_EARLY = 0.01;
const NOISE_WEIGHT = 0.002;
const EARLY_DELTAS = 300;
const FRAMES_PER_SECOND = 30;

export class OveruseEstimator {
  /** Growth of delay from one group to the next. */
  offset: Millis = 0;
  deltas = 0;
  #slope = SLOPE_INITIAL;
  #previousOffset: Millis = 0;
  /** Covariance of slope and offset. */
  #e00 = SLOPE_VARIANCE_INITIAL;
  #e01 = 0;
  #e10 = 0;
  #e11 = OFFSET_VARIANCE_INITIAL;
  #noiseMean: Millis = 0;
  #noiseVariance = NOISE_VARIANCE_INITIAL;
  readonly #periods = new Float64Array(FRAME_PERIODS);
  #periodsLength = 0;
  #nextPeriod = 0;

  /** For the overuse detector. */
  get signal(): number {
    return Math.min(this.deltas, DELTAS_WEIGHT_MAX) * this.offset;
  }

  /** Takes the deltas between two groups and the detector's verdict before them. */
  update(arrivalDelta: Millis, sendDelta: Millis, sizeDelta: Bytes, usage: BandwidthUsage): void {
    const period = this.#shortestPeriod(sendDelta);
    if (this.deltas < DELTAS_MAX) this.deltas++;
    this.#e00 += SLOPE_PROCESS_NOISE;
    this.#e11 += OFFSET_PROCESS_NOISE;
    const reverting =
      (usage === "overusing" && this.offset < this.#previousOffset) || (usage === "underusing" && this.offset > this.#previousOffset);
    if (reverting) this.#e11 += 10 * OFFSET_PROCESS_NOISE;
    const gain0 = this.#e00 * sizeDelta + this.#e01;
    const gain1 = this.#e10 * sizeDelta + this.#e11;
    const residual = arrivalDelta - sendDelta - this.#slope * sizeDelta - this.offset;
    if (usage === "normal") this.#updateNoise(residual, period);
    const denominator = this.#noiseVariance + sizeDelta * gain0 + gain1;
    const k0 = gain0 / denominator;
    const k1 = gain1 / denominator;
    const e00 = this.#e00;
    const e01 = this.#e01;
    const e10 = this.#e10;
    const e11 = this.#e11;
    this.#e00 = e00 * (1 - k0 * sizeDelta) - e10 * k0;
    this.#e01 = e01 * (1 - k0 * sizeDelta) - e11 * k0;
    this.#e10 = e10 * (1 - k1) - e00 * k1 * sizeDelta;
    this.#e11 = e11 * (1 - k1) - e01 * k1 * sizeDelta;
    this.#slope += k0 * residual;
    this.#previousOffset = this.offset;
    this.offset += k1 * residual;
  }

  reset(): void {
    this.offset = 0;
    this.deltas = 0;
    this.#slope = SLOPE_INITIAL;
    this.#previousOffset = 0;
    this.#e00 = SLOPE_VARIANCE_INITIAL;
    this.#e01 = 0;
    this.#e10 = 0;
    this.#e11 = OFFSET_VARIANCE_INITIAL;
    this.#noiseMean = 0;
    this.#noiseVariance = NOISE_VARIANCE_INITIAL;
    this.#periodsLength = 0;
    this.#nextPeriod = 0;
  }

  /** Residuals of late frames, such as key frames, do not fit a normal distribution and are clipped. */
  #updateNoise(residual: Millis, period: Millis): void {
    const limit = RESIDUAL_DEVIATIONS_MAX * Math.sqrt(this.#noiseVariance);
    const clipped = Math.min(Math.max(residual, -limit), limit);
    const weight = this.deltas > EARLY_DELTAS ? NOISE_WEIGHT : NOISE_WEIGHT_EARLY;
    const keep = (1 - weight) ** ((period * FRAMES_PER_SECOND) / 1000);
    this.#noiseMean = keep * this.#noiseMean + (1 - keep) * clipped;
    const variance = keep * this.#noiseVariance + (1 - keep) * (this.#noiseMean - clipped) ** 2;
    this.#noiseVariance = Math.max(variance, NOISE_VARIANCE_MIN);
  }

  /** The shortest of the last 60 send deltas, this one included. */
  #shortestPeriod(sendDelta: Millis): Millis {
    this.#periods[this.#nextPeriod] = sendDelta;
    this.#nextPeriod = (this.#nextPeriod + 1) % FRAME_PERIODS;
    if (this.#periodsLength < FRAME_PERIODS) this.#periodsLength++;
    let shortest = sendDelta;
    for (let i = 0; i < this.#periodsLength; i++) if (this.#periods[i]! < shortest) shortest = this.#periods[i]!;
    return shortest;
  }
}
