/**
 * Loss-based control from receiver reports, for transports without transport-wide feedback.
 *
 *   loss ≤ 2 %    1.08 · (least target of the last second) + 0.5 bit/s + 1 kbit/s
 *   2 … 10 %      hold
 *   > 10 %        target · (1 − 0.5 · loss), once a sample and at most every 300 ms + RTT
 *
 * The increase counts from the least target of the last second, so it comes to 8 % a second however often it is asked. It is valid for 6 s after
 * the last sample; then the rate stands.
 *
 * Source: reference/gcc.md B1; libwebrtc 2026-08-22 goog_cc/send_side_bandwidth_estimation.
 *
 * Deviations: the class answers with a rate and leaves limits, start phase and back-off to target-rate.ts; loss is never ignored below a bitrate.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { RateMinimum } from "./rate-minimum.ts";

/** Tuning of libwebrtc. */
const LOW_LOSS = 0.02;
const HIGH_LOSS = 0.1;
const INCREASE_FACTOR = 1.08;
const INCREASE_ROUNDING: BitsPerSecond = 0.5;
const INCREASE_STEP: BitsPerSecond = 1000;
const INCREASE_INTERVAL: Micros = 1_000_000;
const DECREASE_INTERVAL: Micros = 300_000;
/** A loss sample is built from at least this many expected packets. */
const SAMPLE_PACKETS_MIN = 20;
const FEEDBACK_INTERVAL_MAX: Micros = 5_000_000;
const SAMPLE_VALIDITY: Micros = 1.2 * FEEDBACK_INTERVAL_MAX;

export class LossBasedV0 {
  readonly #history = new RateMinimum(INCREASE_INTERVAL);
  /** Loss of the last sample in 1/256, 0…255. */
  fractionLost = 0;
  /** When the last full sample came, NaN before the first. */
  sampledAt: Micros = Number.NaN;
  /** When the first report came, NaN before it. */
  firstReportAt: Micros = Number.NaN;
  /** When the target was last lowered, by this rule or by RTT back-off. */
  decreasedAt: Micros = Number.NEGATIVE_INFINITY;
  #expected = 0;
  #lost = 0;
  #decreasedSinceSample = false;

  /**
   * Takes what a report says of the packets since the one before it. Answers whether a new loss sample is complete. `lost` may be negative, when
   * packets counted as lost arrived late.
   */
  onPacketsLost(now: Micros, lost: number, expected: number): boolean {
    if (Number.isNaN(this.firstReportAt)) this.firstReportAt = now;
    if (!(expected > 0)) return false;
    this.#expected += expected;
    this.#lost += lost;
    if (this.#expected < SAMPLE_PACKETS_MIN) return false;
    this.fractionLost = Math.min(255, Math.floor((Math.max(0, this.#lost) * 256) / this.#expected));
    this.#expected = 0;
    this.#lost = 0;
    this.#decreasedSinceSample = false;
    this.sampledAt = now;
    return true;
  }

  /** The target after this moment; unchanged where the rule holds it. `rtt` is the last round trip of the transport. */
  next(now: Micros, target: BitsPerSecond, rtt: Micros): BitsPerSecond {
    if (!(now - this.sampledAt < SAMPLE_VALIDITY)) return target;
    const loss = this.fractionLost / 256;
    if (loss <= LOW_LOSS) return this.#history.minimum * INCREASE_FACTOR + INCREASE_ROUNDING + INCREASE_STEP;
    if (loss <= HIGH_LOSS || this.#decreasedSinceSample || now - this.decreasedAt < DECREASE_INTERVAL + rtt) return target;
    this.decreasedAt = now;
    this.#decreasedSinceSample = true;
    return (target * (512 - this.fractionLost)) / 512;
  }

  /** Takes note of the target in force at `now`; before every `next`. */
  remember(now: Micros, target: BitsPerSecond): void {
    this.#history.push(now, target);
  }

  /** The history begins anew with the target, after it jumped for reasons of its own. */
  restart(now: Micros, target: BitsPerSecond): void {
    this.#history.clear();
    this.#history.push(now, target);
  }

  /** No target is remembered: the next increase counts from the one in force. */
  forget(): void {
    this.#history.clear();
  }
}
