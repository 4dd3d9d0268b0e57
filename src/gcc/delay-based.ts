/**
 * The delay-based estimate of what the path carries, from packet results.
 *
 *   feedback ─▶ inter-arrival ─▶ trendline + overuse-detector ─▶ "normal" | "overusing" | "underusing"
 *                                                                       │
 *   acknowledged rate, probe result ────────────────────────────────▶ aimd ─▶ rate
 *
 * Source: reference/gcc.md A1 step 6, C1, C2; libwebrtc f3ae3eb6 goog_cc/delay_based_bwe.
 *
 * Deviations: a detector of its own for audio, off there, is not offered.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { Aimd, type AimdOptions } from "./aimd.ts";
import { InterArrival } from "./inter-arrival.ts";
import type { BandwidthUsage, TransportFeedback } from "./packet-result.ts";
import { Trendline } from "./trendline.ts";

/** Tuning of libwebrtc: after this long without feedback the past says nothing. */
const STREAM_TIMEOUT: Micros = 2_000_000;

export interface DelayBasedOptions extends AimdOptions {
  /** Points of the trendline, 10…200; 20. */
  readonly trendlineWindow?: number;
}

export class DelayBased {
  readonly aimd: Aimd;
  /** What the last `receive` brought: whether `rate` is new, whether it is a probe's, and whether a drained queue is normal again. */
  updated = false;
  probe = false;
  recoveredFromOveruse = false;
  readonly #interArrival = new InterArrival();
  readonly #trendline: Trendline;
  #seenAt: Micros = Number.NEGATIVE_INFINITY;

  constructor(options: DelayBasedOptions = {}) {
    this.aimd = new Aimd(options);
    this.#trendline = new Trendline(options.trendlineWindow);
  }

  get state(): BandwidthUsage {
    return this.#trendline.state;
  }

  /** False until there is an estimate. */
  get valid(): boolean {
    return this.aimd.valid;
  }

  /** The estimate; meaningless until `valid`. */
  get rate(): BitsPerSecond {
    return this.aimd.rate;
  }

  /** Times the receiver's clock or the order of packets jumped. */
  get resets(): number {
    return this.#interArrival.resets;
  }

  /** Slope and threshold of the detector, for charts. */
  get slope(): number {
    return this.#trendline.slope;
  }
  get threshold(): number {
    return this.#trendline.threshold;
  }

  setStartRate(rate: BitsPerSecond): void {
    this.aimd.setStartRate(rate);
  }

  setRateMin(rate: BitsPerSecond): void {
    this.aimd.setRateMin(rate);
  }

  setRtt(rtt: Micros): void {
    this.aimd.rtt = rtt;
  }

  /** How long the rate needs to grow back after its last decrease. */
  get expectedPeriod(): Micros {
    return this.aimd.expectedPeriod;
  }

  /**
   * Takes a feedback that was sorted (borrowed), the acknowledged rate after it and the result of a probe that ended with it; undefined = none.
   * The outcome stands in `updated`, `probe`, `recoveredFromOveruse`, `state` and `rate`.
   */
  receive(feedback: TransportFeedback, acknowledged: BitsPerSecond | undefined, probe: BitsPerSecond | undefined, inAlr: boolean): void {
    const recovered = this.measure(feedback);
    if (feedback.received === 0) return;
    this.aimd.inAlr = inAlr;
    const now = feedback.feedbackTime;
    if (this.state === "overusing") {
      this.#reduce(acknowledged, now);
    } else if (probe !== undefined) {
      this.probe = true;
      this.updated = true;
      this.aimd.setEstimate(probe, now);
    } else {
      this.aimd.update(this.state, acknowledged, now);
      this.updated = this.aimd.valid;
      this.recoveredFromOveruse = recovered;
    }
  }

  /** Takes arrivals into account without changing the rate; true when the queue, which was draining, is normal again. */
  measure(feedback: TransportFeedback): boolean {
    this.updated = false;
    this.probe = false;
    this.recoveredFromOveruse = false;
    if (feedback.received === 0) return false;
    const now = feedback.feedbackTime;
    if (now - this.#seenAt > STREAM_TIMEOUT) {
      this.#interArrival.reset();
      this.#trendline.reset();
    }
    this.#seenAt = now;
    const { order, sendTime, receiveTime, size } = feedback;
    let recovered = false;
    for (let k = 0; k < feedback.received; k++) {
      const i = order[k]!;
      const before = this.state;
      const arrival = receiveTime[i]!;
      if (!this.#interArrival.receive(sendTime[i]!, arrival, now, size[i]!)) continue;
      this.#trendline.update(this.#interArrival.arrivalDelta, this.#interArrival.sendDelta, arrival);
      if (before === "underusing" && this.state === "normal") recovered = true;
    }
    return recovered;
  }

  #reduce(acknowledged: BitsPerSecond | undefined, now: Micros): void {
    const { aimd } = this;
    if (acknowledged !== undefined) {
      if (!aimd.timeToReduceFurther(now, acknowledged)) return;
      aimd.update(this.state, acknowledged, now);
      this.updated = aimd.valid;
    } else if (aimd.valid && aimd.initialTimeToReduceFurther(now)) {
      // Overuse before anything is known of the throughput: go down blindly.
      aimd.setEstimate(aimd.rate / 2, now);
      this.updated = true;
    }
  }
}
