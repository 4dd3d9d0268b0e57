/**
 * Loss-based control with transport-wide feedback: tells loss that the channel has by itself from loss that our rate causes.
 *
 *   observations ─▶ candidates: B·{1.02, 1, 0.95}, acked rate, delay estimate ─▶ inherent loss of each (loss-model.ts) ─▶ best objective ─▶
 *   bounds: ≤ 1.3 × a 300 ms window, ≤ 1.5 × acked (1.2 × near a rate that failed), hold after a decrease, instant bounds ─▶ result
 *
 *   delay-based ──loss──▶ decreasing ──▶ increase-using-padding ──▶ delay-based
 *                            ▲───────────────┘                       result reaches the delay estimate
 *
 * After each entry into decreasing the result may not rise above that rate for a hold time of 300 ms that doubles up to 60 s.
 *
 * Source: reference/gcc.md B3; libwebrtc 2026-08-22 goog_cc/loss_based_bwe_v2 with its default trial values.
 *
 * Deviations: ramp-up acceleration and upper bound candidates, off there by default, are left out.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { feasibleInherentLoss, fitInherentLoss, INHERENT_LOSS_INITIAL, objective } from "./loss-model.ts";
import { LossObservations } from "./loss-observation.ts";

/** Tuning of libwebrtc. */
const CANDIDATE_FACTORS = [1.02, 1, 0.95] as const;
const OBSERVATIONS_MIN = 3;
const INSTANT_UPPER_BALANCE: BitsPerSecond = 100_000;
const INSTANT_UPPER_LOSS_OFFSET = 0.05;
const LOWER_BOUND_BY_ACKED = 1;
const RAMPUP_BY_ACKED = 1.5;
const RAMPUP_BY_ACKED_IN_HOLD = 1.2;
const RAMPUP_HOLD_THRESHOLD = 1.3;
const DELAYED_INCREASE_WINDOW: Micros = 300_000;
const MAX_INCREASE_FACTOR = 1.3;
const HOLD_INITIAL: Micros = 300_000;
const HOLD_MAX: Micros = 60_000_000;
const HOLD_FACTOR = 2;
const PADDING_DURATION: Micros = 2_000_000;
/** Least target of a transport: below it a call cannot be held. */
export const BITRATE_MIN: BitsPerSecond = 5000;

export type LossState = "delay-based" | "decreasing" | "increasing-with-padding";

export class LossBasedV2 {
  readonly observations = new LossObservations();
  state: LossState = "delay-based";
  /** The result, valid when `ready`. */
  bitrate: BitsPerSecond = Number.POSITIVE_INFINITY;
  #min: BitsPerSecond = BITRATE_MIN;
  #max: BitsPerSecond = Number.POSITIVE_INFINITY;
  /** The channel held to be most likely; NaN before the first delay estimate. */
  #bandwidth: BitsPerSecond = Number.NaN;
  #inherentLoss = INHERENT_LOSS_INITIAL;
  #acked: BitsPerSecond = Number.NaN;
  #delayEstimate: BitsPerSecond = Number.POSITIVE_INFINITY;
  #windowStart: Micros = Number.NaN;
  #windowLimit: BitsPerSecond = Number.POSITIVE_INFINITY;
  #holdUntil: Micros = Number.NEGATIVE_INFINITY;
  #holdDuration: Micros = HOLD_INITIAL;
  #holdRate: BitsPerSecond = Number.POSITIVE_INFINITY;
  #paddingSince: Micros = Number.NEGATIVE_INFINITY;
  #paddingRate: BitsPerSecond = 0;
  /** The best candidate of the update at hand. */
  #bestBandwidth: BitsPerSecond = 0;
  #bestLoss = 0;
  #bestObjective = 0;

  /** Enough was seen for `bitrate` to be used. */
  get ready(): boolean {
    return this.observations.count >= OBSERVATIONS_MIN && !Number.isNaN(this.#bandwidth);
  }

  get inherentLoss(): number {
    return this.#inherentLoss;
  }

  /** Limits of the result, bit/s, min ≤ max. */
  setMinMax(min: BitsPerSecond, max: BitsPerSecond): void {
    this.#min = min;
    this.#max = max;
  }

  /** What the receiver got, bit/s; NaN is ignored. */
  setAcknowledged(bitrate: BitsPerSecond): void {
    if (Number.isFinite(bitrate)) this.#acked = bitrate;
  }

  /** Takes one packet of a report; `update` follows after the last. */
  add(sequence: number, size: Bytes, sendTime: Micros, lost: boolean): void {
    this.observations.add(sequence, size, sendTime, lost);
  }

  /** After the packets of a report. `delayEstimate` is Infinity while there is none, `limited` tells of an application-limited sender. */
  update(delayEstimate: BitsPerSecond, limited: boolean): void {
    this.#delayEstimate = delayEstimate;
    if (!this.observations.close()) return;
    if (Number.isNaN(this.#bandwidth)) {
      if (!Number.isFinite(delayEstimate)) return;
      this.#bandwidth = delayEstimate;
      this.bitrate = delayEstimate;
    }
    this.#choose(limited);
    this.#boundIncrease();
    const bounded = Math.max(this.#instantLower(), Math.min(this.#bestBandwidth, this.#instantUpper(), delayEstimate));
    // Candidates of the next update begin from what may be used; all loss beyond it is held to be our own.
    this.#inherentLoss = bounded < this.#bestBandwidth ? 0 : this.#bestLoss;
    this.#bandwidth = bounded < this.#bestBandwidth ? bounded : Math.max(this.#bestBandwidth, this.#instantLower());
    this.#settle(bounded);
    this.#moveWindow();
  }

  get #lossLimited(): boolean {
    return this.state !== "delay-based";
  }

  get #paddingRecently(): boolean {
    return this.#paddingSince + PADDING_DURATION >= this.observations.lastSendTime;
  }

  #choose(limited: boolean): void {
    const now = this.#bandwidth;
    const most = Math.max(now, this.#lossLimited ? this.#windowLimit : this.#max);
    this.#bestBandwidth = now;
    this.#bestLoss = this.#inherentLoss;
    this.#bestObjective = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < CANDIDATE_FACTORS.length; i++) this.#weigh(Math.min(now * CANDIDATE_FACTORS[i]!, most));
    // What an application-limited sender got through says nothing, unless padding filled it up.
    if (!Number.isNaN(this.#acked) && (!limited || this.#paddingRecently)) this.#weigh(Math.min(this.#acked, most));
    if (this.#delayEstimate > now && Number.isFinite(this.#delayEstimate)) this.#weigh(Math.min(this.#delayEstimate, most));
    // A channel that loses more than it is held to lose by itself gives no reason to go up.
    if (this.observations.averageLoss > this.#bestLoss && now < this.#bestBandwidth) this.#bestBandwidth = now;
  }

  #weigh(bandwidth: BitsPerSecond): void {
    const inherent = fitInherentLoss(this.observations, feasibleInherentLoss(this.#inherentLoss, bandwidth), bandwidth);
    const value = objective(this.observations, inherent, bandwidth);
    if (value < this.#bestObjective || (value === this.#bestObjective && bandwidth <= this.#bestBandwidth)) return;
    this.#bestObjective = value;
    this.#bestBandwidth = bandwidth;
    this.#bestLoss = inherent;
  }

  #boundIncrease(): void {
    if (!this.#lossLimited) return;
    const { lastSendTime } = this.observations;
    if (this.#windowStart + DELAYED_INCREASE_WINDOW > lastSendTime) this.#bestBandwidth = Math.min(this.#bestBandwidth, this.#windowLimit);
    if (Number.isNaN(this.#acked) || !this.#increases(this.#bandwidth, this.#bestBandwidth)) return;
    const factor = this.#acked < RAMPUP_HOLD_THRESHOLD * this.#holdRate && Number.isFinite(this.#holdRate);
    const most = (factor ? RAMPUP_BY_ACKED_IN_HOLD : RAMPUP_BY_ACKED) * this.#acked;
    this.#bestBandwidth = Math.max(this.#bandwidth, Math.min(this.#bestBandwidth, most));
    // Without a step the state would never leave decreasing, and no padding would verify a higher rate.
    if (this.state === "decreasing" && this.#bestBandwidth === this.#bandwidth) this.#bestBandwidth += 1;
  }

  /** State and result from the estimate with all its bounds. */
  #settle(bounded: BitsPerSecond): void {
    const { lastSendTime } = this.observations;
    const below = bounded < this.#delayEstimate && bounded < this.#max;
    if (this.state === "decreasing" && this.#holdUntil > lastSendTime && bounded < this.#delayEstimate) {
      this.#holdRate = Math.max(this.#instantLower(), this.#holdRate);
      this.bitrate = Math.min(this.#holdRate, bounded);
      return;
    }
    if (below && this.#increases(this.bitrate, bounded) && this.#mayKeepIncreasing(bounded)) {
      if (bounded > this.#paddingRate) {
        this.#paddingRate = bounded;
        this.#paddingSince = lastSendTime;
      }
      this.state = "increasing-with-padding";
    } else if (below) {
      if (this.state !== "decreasing") {
        this.#holdUntil = lastSendTime + this.#holdDuration;
        this.#holdDuration = Math.min(HOLD_MAX, this.#holdDuration * HOLD_FACTOR);
        this.#holdRate = bounded;
      }
      this.#forgetPadding();
      this.state = "decreasing";
    } else {
      this.#holdUntil = Number.NEGATIVE_INFINITY;
      this.#holdDuration = HOLD_INITIAL;
      this.#holdRate = Number.POSITIVE_INFINITY;
      this.#forgetPadding();
      this.state = "delay-based";
    }
    this.bitrate = bounded;
  }

  #moveWindow(): void {
    const { lastSendTime } = this.observations;
    if (!this.#lossLimited || this.#windowStart + DELAYED_INCREASE_WINDOW >= lastSendTime) return;
    this.#windowLimit = Math.max(BITRATE_MIN, this.#bandwidth * MAX_INCREASE_FACTOR);
    this.#windowStart = lastSendTime;
  }

  #increases(from: BitsPerSecond, to: BitsPerSecond): boolean {
    return this.#lossLimited && (from < to || (from === to && this.state === "increasing-with-padding"));
  }

  #mayKeepIncreasing(bounded: BitsPerSecond): boolean {
    return this.state !== "increasing-with-padding" || this.#paddingRecently || this.#paddingRate < bounded;
  }

  #forgetPadding(): void {
    this.#paddingSince = Number.NEGATIVE_INFINITY;
    this.#paddingRate = 0;
  }

  #instantUpper(): BitsPerSecond {
    const excess = this.observations.averageLoss - INSTANT_UPPER_LOSS_OFFSET;
    return excess > 0 ? INSTANT_UPPER_BALANCE / excess : this.#max;
  }

  #instantLower(): BitsPerSecond {
    return Math.max(this.#min, Number.isNaN(this.#acked) ? 0 : LOWER_BOUND_BY_ACKED * this.#acked);
  }
}
