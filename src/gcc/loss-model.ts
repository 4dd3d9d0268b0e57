/**
 * How likely a channel is to have produced the losses that were seen.
 *
 *   channel = (inherent loss i, loss-limited bandwidth B)
 *   P(loss │ send rate s) = i                          while s ≤ B
 *                           i + (1 − i)(s − B)/s       above          clamped to [1e−6, 1 − 1e−6]
 *   objective = Σ w·(lost·ln P + received·ln(1 − P)) + Σ w·size·bias(B)          kilobytes
 *
 * The bias prefers the higher bandwidth while the average loss is below 20 % and the lower one above. The inherent loss of a candidate is
 * found by one Newton step of 0.75 on the likelihood.
 *
 * Source: reference/gcc.md B3; libwebrtc 2026-08-22 goog_cc/loss_based_bwe_v2, with losses counted in bytes.
 *
 * Deviations: none known; the figures of an exact run of libwebrtc were not at hand to compare with.
 */
import type { BitsPerSecond } from "../base/units.ts";
import type { LossObservations } from "./loss-observation.ts";

/** Tuning of libwebrtc. */
export const INHERENT_LOSS_INITIAL = 0.01;
const INHERENT_LOSS_MIN = 1e-3;
const INHERENT_LOSS_OFFSET = 0.05;
const INHERENT_LOSS_BALANCE: BitsPerSecond = 100_000;
const NEWTON_STEP = 0.75;
const LOSS_PREFERENCE_THRESHOLD = 0.2;
const PREFERENCE_SMOOTHING = 0.002;
const HIGHER_BANDWIDTH_BIAS = 0.0002;
const HIGHER_LOG_BANDWIDTH_BIAS = 0.02;
const PROBABILITY_EDGE = 1e-6;

export function lossProbability(inherentLoss: number, bandwidth: BitsPerSecond, sendingRate: BitsPerSecond): number {
  let probability = inherentLoss;
  if (sendingRate > bandwidth) probability += ((1 - inherentLoss) * (sendingRate - bandwidth)) / sendingRate;
  return Math.min(Math.max(probability, PROBABILITY_EDGE), 1 - PROBABILITY_EDGE);
}

/** The nearest inherent loss that a channel of this bandwidth may have: slow channels may lose more. */
export function feasibleInherentLoss(inherentLoss: number, bandwidth: BitsPerSecond): number {
  const most = bandwidth > 0 ? Math.min(1, INHERENT_LOSS_OFFSET + INHERENT_LOSS_BALANCE / bandwidth) : 1;
  return Math.min(Math.max(inherentLoss, INHERENT_LOSS_MIN), most);
}

/** One Newton step from `inherentLoss` towards the most likely one, kept feasible. */
export function fitInherentLoss(seen: LossObservations, inherentLoss: number, bandwidth: BitsPerSecond): number {
  let first = 0;
  let second = 0;
  for (let age = 0; age < seen.length; age++) {
    const at = seen.index(age);
    const p = lossProbability(inherentLoss, bandwidth, seen.sendingRates[at]!);
    const weight = seen.weights[age]!;
    const lost = seen.lostKilobytes[at]!;
    const received = seen.kilobytes[at]! - lost;
    first += weight * (lost / p - received / (1 - p));
    second -= weight * (lost / (p * p) + received / ((1 - p) * (1 - p)));
  }
  // The likelihood is concave; without a single byte it would be flat.
  if (second >= 0) second = -PROBABILITY_EDGE;
  return feasibleInherentLoss(inherentLoss - (NEWTON_STEP * first) / second, bandwidth);
}

/** Log-likelihood of the channel with the preference for bandwidth; higher is better. */
export function objective(seen: LossObservations, inherentLoss: number, bandwidth: BitsPerSecond): number {
  const distance = LOSS_PREFERENCE_THRESHOLD - seen.averageLoss;
  const lean = distance / (PREFERENCE_SMOOTHING + Math.abs(distance));
  const kbps = bandwidth / 1000;
  const bias = lean * (HIGHER_BANDWIDTH_BIAS * kbps + HIGHER_LOG_BANDWIDTH_BIAS * Math.log(1 + kbps));
  let sum = 0;
  for (let age = 0; age < seen.length; age++) {
    const at = seen.index(age);
    const p = lossProbability(inherentLoss, bandwidth, seen.sendingRates[at]!);
    const size = seen.kilobytes[at]!;
    const lost = seen.lostKilobytes[at]!;
    sum += seen.weights[age]! * (lost * Math.log(p) + (size - lost) * Math.log(1 - p) + bias * size);
  }
  return sum;
}
