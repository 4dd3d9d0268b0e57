/**
 * The one estimate of the transport: loss, delay, the receiver's limit and RTT back-off brought together.
 *
 *   RTT back-off? ─▶ start phase? ─▶ loss v2 ready? its result : v0's rule ─▶ min(·, delay limit, configured max) ─▶ max(·, configured min)
 *   reported = min(target, receiver's limit)
 *
 * A limit of 0 from delay or receiver means "no limit".
 *
 * Source: reference/gcc.md A2, B1, B2; libwebrtc 2026-08-22 goog_cc/send_side_bandwidth_estimation.
 *
 * Deviations:
 *   - v2 is used as soon as it is ready; there a receiver report must have come before
 *   - an increase by v0 is counted in fractions of a bit
 */
import { assert } from "../base/assert.ts";
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { LossBasedV0 } from "./loss-based-v0.ts";
import { BITRATE_MIN, LossBasedV2 } from "./loss-based-v2.ts";
import { LOST, type TransportFeedback } from "./packet-result.ts";
import { RttBackoff, type RttBackoffOptions } from "./rtt-backoff.ts";

/** Tuning of libwebrtc. */
const BITRATE_MAX: BitsPerSecond = 1_000_000_000;
const START_PHASE: Micros = 2_000_000;

export class TargetRate {
  readonly v0 = new LossBasedV0();
  readonly v2 = new LossBasedV2();
  readonly backoff: RttBackoff;
  /** Last round trip of the transport, 0 before the first. */
  roundTripTime: Micros = 0;
  /** The estimate that loss, delay and configuration allow; `reported` is what may be used. */
  target: BitsPerSecond = 0;
  delayLimit: BitsPerSecond = Number.POSITIVE_INFINITY;
  /** Losses are answered where the delay limit is made (competing-traffic.ts): once is enough. */
  lossAnswered = false;
  #min: BitsPerSecond = BITRATE_MIN;
  #max: BitsPerSecond = BITRATE_MAX;
  #receiverLimit: BitsPerSecond = Number.POSITIVE_INFINITY;

  constructor(backoff: RttBackoffOptions = {}) {
    this.backoff = new RttBackoff(backoff);
    this.v2.setMinMax(this.#min, this.#max);
  }

  get min(): BitsPerSecond {
    return this.#min;
  }

  get max(): BitsPerSecond {
    return this.#max;
  }

  /** The target within what the receiver allows. */
  get reported(): BitsPerSecond {
    return Math.min(this.target, Math.max(this.#receiverLimit, this.#min));
  }

  /** Share of packets lost in the last sample, 0…1: receiver reports if there are any, else bytes of transport feedback. */
  get lossRatio(): number {
    return Number.isNaN(this.v0.sampledAt) ? this.v2.observations.averageLoss : this.v0.fractionLost / 256;
  }

  /** Loss, and not delay, holds the target down. */
  get lossLimited(): boolean {
    return this.v2.ready && !this.lossAnswered && this.v2.state !== "delay-based";
  }

  /** Limits and, where given, a new start; bit/s. `max` may be Infinity. */
  configure(start: BitsPerSecond | undefined, min: BitsPerSecond, max: BitsPerSecond): void {
    this.#min = Math.max(min, BITRATE_MIN);
    this.#max = Math.max(this.#min, Math.min(max, BITRATE_MAX));
    this.v2.setMinMax(this.#min, this.#max);
    if (start === undefined) this.#set(this.target);
    else this.jump(start);
  }

  /** Goes to `bitrate` at once: a start or the result of a probe. The delay limit is forgotten until the next `setDelayLimit`. */
  jump(bitrate: BitsPerSecond): void {
    assert(bitrate > 0, "a bitrate above 0");
    this.delayLimit = Number.POSITIVE_INFINITY;
    this.#set(bitrate);
    this.v0.forget();
  }

  setDelayLimit(bitrate: BitsPerSecond): void {
    this.delayLimit = bitrate > 0 ? bitrate : Number.POSITIVE_INFINITY;
    this.#set(this.target);
  }

  /** REMB. */
  setReceiverLimit(bitrate: BitsPerSecond): void {
    this.#receiverLimit = bitrate > 0 ? bitrate : Number.POSITIVE_INFINITY;
    this.#set(this.target);
  }

  /** Packets lost and expected since the report before. */
  onPacketsLost(now: Micros, lost: number, expected: number): void {
    if (this.v0.onPacketsLost(now, lost, expected)) this.update(now);
  }

  /** All packets of a feedback, the lost ones included, after the delay limit was brought up to date. */
  onFeedback(feedback: TransportFeedback, acked: BitsPerSecond, limited: boolean): void {
    this.v2.setAcknowledged(acked);
    for (let i = 0; i < feedback.length; i++) {
      this.v2.add(feedback.sequence[i]!, feedback.size[i]!, feedback.sendTime[i]!, feedback.receiveTime[i]! === LOST);
    }
    this.v2.update(this.delayLimit, limited);
    this.update(feedback.feedbackTime);
  }

  /** Brings the target up to date; every 25 ms and after every report. */
  update(now: Micros): void {
    if (this.backoff.aboveLimit) {
      this.#backOff(now);
      return;
    }
    if (this.v0.fractionLost === 0 && this.#startPhase(now) && !this.v2.ready && this.#raiseAtStart(now)) return;
    this.v0.remember(now, this.target);
    if (this.lossAnswered) this.#set(this.delayLimit);
    else if (this.v2.ready) this.#set(this.v2.bitrate);
    else this.#set(this.v0.next(now, this.target, this.roundTripTime));
  }

  #backOff(now: Micros): void {
    const { v0, backoff } = this;
    if (now - v0.decreasedAt < backoff.dropInterval) return;
    const lower = backoff.drop(this.target);
    if (lower === this.target) return;
    v0.decreasedAt = now;
    this.#set(lower);
  }

  #startPhase(now: Micros): boolean {
    return Number.isNaN(this.v0.firstReportAt) || now - this.v0.firstReportAt < START_PHASE;
  }

  /** At the start delay and receiver are believed, so that probes take effect; without loss only. */
  #raiseAtStart(now: Micros): boolean {
    let higher = this.target;
    if (Number.isFinite(this.#receiverLimit)) higher = Math.max(higher, this.#receiverLimit);
    if (Number.isFinite(this.delayLimit)) higher = Math.max(higher, this.delayLimit);
    if (higher === this.target) return false;
    this.v0.restart(now, this.target);
    this.#set(higher);
    return true;
  }

  #set(bitrate: BitsPerSecond): void {
    this.target = Math.max(Math.min(bitrate, this.delayLimit, this.#max), this.#min);
  }
}
