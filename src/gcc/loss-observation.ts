/**
 * What the loss-based estimator has seen: reports gathered into observations of at least 250 ms of send time, the last 15 of them in a ring.
 *
 *   packet results ─▶ partial observation ─(≥ 250 ms)─▶ [size, lost, send rate] × 15, weight 0.9^age ─▶ average loss, median send rate
 *
 * A packet reported lost that arrives before its observation is closed is taken out of the losses again.
 *
 * Source: reference/gcc.md B3; libwebrtc 2026-08-22 goog_cc/loss_based_bwe_v2.
 *
 * Deviations:
 *   - the packets that are lost so far stand in a bounded table; what does not fit counts as lost even if it arrives late
 *   - the send rate is not smoothed over observations (factor 0 there)
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
export const OBSERVATIONS_MAX = 15;
const OBSERVATION_MIN: Micros = 250_000;
const TEMPORAL_WEIGHT = 0.9;
const MEDIAN_SENDING_RATE_FACTOR = 2;

/** Tuning: a power of two. */
const LOST_SLOTS = 4096;
const EMPTY = -1;

export class LossObservations {
  /** Ring of observations: kilobytes, kilobytes lost, bit/s. Entry `age` back from the newest is `index(age)`. */
  readonly kilobytes = new Float64Array(OBSERVATIONS_MAX);
  readonly lostKilobytes = new Float64Array(OBSERVATIONS_MAX);
  readonly sendingRates = new Float64Array(OBSERVATIONS_MAX);
  /** Weight by age. */
  readonly weights = new Float64Array(OBSERVATIONS_MAX);
  /** Observations made so far, those that left the ring included. */
  count = 0;
  /** Send time of the last packet in the newest observation, NaN before the first report. */
  lastSendTime: Micros = Number.NaN;
  /** Loss by bytes over the ring, without its extremes: 0…1. */
  averageLoss = 0;
  /** Losses that could not be remembered one by one. */
  lostOverflows = 0;
  readonly #sorted = new Float64Array(OBSERVATIONS_MAX);
  #bytes: Bytes = 0;
  #lostBytes: Bytes = 0;
  #firstSent: Micros = Number.POSITIVE_INFINITY;
  #lastSent: Micros = Number.NEGATIVE_INFINITY;
  /** Sequence number and size of what is lost so far, at its number modulo the length. */
  readonly #lostSequence = new Float64Array(LOST_SLOTS).fill(EMPTY);
  readonly #lostSize = new Float64Array(LOST_SLOTS);
  #lostCount = 0;

  constructor() {
    for (let age = 0; age < OBSERVATIONS_MAX; age++) this.weights[age] = TEMPORAL_WEIGHT ** age;
  }

  /** Observations in the ring. */
  get length(): number {
    return Math.min(this.count, OBSERVATIONS_MAX);
  }

  /** Place in the ring of the observation `age` back from the newest. */
  index(age: number): number {
    return (this.count - 1 - age) % OBSERVATIONS_MAX;
  }

  /** Takes one packet of a report. `sequence` is unwrapped, so it is unique for the time an observation lasts. */
  add(sequence: number, size: Bytes, sendTime: Micros, lost: boolean): void {
    this.#bytes += size;
    this.#firstSent = Math.min(this.#firstSent, sendTime);
    this.#lastSent = Math.max(this.#lastSent, sendTime);
    const slot = sequence & (LOST_SLOTS - 1);
    const known = this.#lostSequence[slot] === sequence;
    if (lost && !known) {
      this.#lostBytes += size;
      if (this.#lostSequence[slot] === EMPTY) {
        this.#lostSequence[slot] = sequence;
        this.#lostSize[slot] = size;
        this.#lostCount++;
      } else {
        this.lostOverflows++;
      }
    } else if (!lost && known) {
      this.#lostBytes -= this.#lostSize[slot]!;
      this.#lostSequence[slot] = EMPTY;
      this.#lostCount--;
    }
  }

  /** After the packets of a report: closes the observation if it is long enough, and answers whether it did. */
  close(): boolean {
    if (this.#lastSent === Number.NEGATIVE_INFINITY) return false;
    if (Number.isNaN(this.lastSendTime)) this.lastSendTime = this.#firstSent;
    const duration = this.#lastSent - this.lastSendTime;
    if (!(duration > 0 && duration >= OBSERVATION_MIN)) return false;
    this.lastSendTime = this.#lastSent;
    const at = this.count++ % OBSERVATIONS_MAX;
    this.kilobytes[at] = this.#bytes / 1000;
    this.lostKilobytes[at] = this.#lostBytes / 1000;
    this.sendingRates[at] = (this.#bytes * 8e6) / duration;
    this.#bytes = 0;
    this.#lostBytes = 0;
    this.#firstSent = Number.POSITIVE_INFINITY;
    this.#lastSent = Number.NEGATIVE_INFINITY;
    if (this.#lostCount > 0) this.#lostSequence.fill(EMPTY);
    this.#lostCount = 0;
    this.averageLoss = this.#average();
    return true;
  }

  /**
   * The observations with the least and with the most loss are left out, because a single burst or a single calm says little, unless the most was
   * sent at twice the median rate: then the sender itself made the loss.
   */
  #average(): number {
    let total = 0;
    let lost = 0;
    let least = 1;
    let most = 0;
    let leastSize = 0;
    let leastLost = 0;
    let mostSize = 0;
    let mostLost = 0;
    let mostRate = 0;
    for (let age = 0; age < this.length; age++) {
      const at = this.index(age);
      const weight = this.weights[age]!;
      const size = weight * this.kilobytes[at]!;
      const gone = weight * this.lostKilobytes[at]!;
      total += size;
      lost += gone;
      const share = size > 0 ? gone / size : 0;
      if (this.count <= 3) continue;
      if (share > most) {
        most = share;
        mostSize = size;
        mostLost = gone;
        mostRate = this.sendingRates[at]!;
      }
      if (share < least) {
        least = share;
        leastSize = size;
        leastLost = gone;
      }
    }
    if (this.#medianSendingRate() * MEDIAN_SENDING_RATE_FACTOR <= mostRate) return lost / total;
    const rest = total - leastSize - mostSize;
    return rest > 0 ? Math.max(0, lost - leastLost - mostLost) / rest : 0;
  }

  #medianSendingRate(): BitsPerSecond {
    const { length } = this;
    this.#sorted.fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < length; i++) this.#sorted[i] = this.sendingRates[i]!;
    this.#sorted.sort();
    const half = length >> 1;
    return length % 2 === 1 ? this.#sorted[half]! : (this.#sorted[half - 1]! + this.#sorted[half]!) / 2;
  }
}
