/**
 * The acknowledged rate, as a Bayesian mean over short windows: 500 ms for the first sample, 150 ms for each further one.
 *
 *   uncertainty of a sample x = 10 · |mean − x| / mean       mean = (uncertainty² · mean + (variance + 5) · x) / (uncertainty² + variance + 5)
 *
 * A sample far from the mean weighs little, unless the application has just begun to use what it is allowed: then the variance is raised.
 * `robust-throughput.ts` is the estimator that libwebrtc uses by default; this one, from before, reacts sooner and is more easily deceived.
 *
 * Source: reference/gcc.md C4; libwebrtc f3ae3eb6 goog_cc/acknowledged_bitrate_estimator and bitrate_estimator.
 *
 * Deviations: double instead of single precision; the scales that only field trials change are not offered.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { TransportFeedback } from "./packet-result.ts";

/** An estimator of the rate at which packets arrive. */
export interface AcknowledgedRate {
  /** Takes a feedback that was sorted; borrowed. */
  receive(feedback: TransportFeedback): void;
  /** Undefined until enough was seen. */
  readonly rate: BitsPerSecond | undefined;
  /** The application sends less than it could. */
  setAlr(inAlr: boolean): void;
  /** The application began at `time` of the sender's clock to send all it may. */
  alrEnded(time: Micros): void;
}

/** Tuning of libwebrtc. */
const WINDOW_INITIAL: Micros = 500_000;
const WINDOW: Micros = 150_000;
const UNCERTAINTY_SCALE = 10;
const VARIANCE_INITIAL = 50;
const VARIANCE_STEP = 5;
const VARIANCE_FAST_CHANGE = 200;

export class AcknowledgedBitrate implements AcknowledgedRate {
  /** In kbit/s, as the variance; NaN = none yet. */
  #mean = Number.NaN;
  #variance = VARIANCE_INITIAL;
  #bytes: Bytes = 0;
  #window: Micros = 0;
  #previous: Micros = Number.NaN;
  #alrEndedAt: Micros = Number.NaN;

  get rate(): BitsPerSecond | undefined {
    return Number.isNaN(this.#mean) ? undefined : this.#mean * 1000;
  }

  receive(feedback: TransportFeedback): void {
    for (let k = 0; k < feedback.received; k++) {
      const i = feedback.order[k]!;
      if (feedback.sendTime[i]! > this.#alrEndedAt) {
        this.#variance += VARIANCE_FAST_CHANGE;
        this.#alrEndedAt = Number.NaN;
      }
      this.#update(feedback.receiveTime[i]!, feedback.size[i]! + feedback.priorUnacked[i]!);
    }
  }

  /** Samples weigh the same in and out of it. */
  setAlr(): void {}

  alrEnded(time: Micros): void {
    this.#alrEndedAt = time;
  }

  #update(at: Micros, bytes: Bytes): void {
    const window = Number.isNaN(this.#mean) ? WINDOW_INITIAL : WINDOW;
    const sample = this.#sample(at, bytes, window);
    if (sample < 0) return;
    if (Number.isNaN(this.#mean)) {
      this.#mean = sample;
      return;
    }
    // A mean of 0 would make the uncertainty undefined; it can only come from a first window without bytes.
    const uncertainty = (UNCERTAINTY_SCALE * Math.abs(this.#mean - sample)) / Math.max(this.#mean, 1e-3);
    const sampleVariance = uncertainty * uncertainty;
    const predicted = this.#variance + VARIANCE_STEP;
    this.#mean = (sampleVariance * this.#mean + predicted * sample) / (sampleVariance + predicted);
    this.#variance = (sampleVariance * predicted) / (sampleVariance + predicted);
  }

  /** Rate of the window that `at` ended, in kbit/s, or −1 when it is not over. */
  #sample(at: Micros, bytes: Bytes, window: Micros): number {
    if (at < this.#previous) {
      this.#previous = Number.NaN;
      this.#bytes = 0;
      this.#window = 0;
    }
    if (!Number.isNaN(this.#previous)) {
      const elapsed = at - this.#previous;
      this.#window += elapsed;
      // After a silence longer than a window its part of the sum means nothing.
      if (elapsed > window) {
        this.#bytes = 0;
        this.#window %= window;
      }
    }
    this.#previous = at;
    let sample = -1;
    if (this.#window >= window) {
      sample = (this.#bytes * 8000) / window;
      this.#window -= window;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return sample;
  }
}
