/**
 * Round trips as feedback tells them, which include the receiver's wait before it reports.
 *
 *   one report ─▶ greatest (feedback time − send time) ─▶ the last 32 of them ─▶ least: for the window; mean: where no RTCP gives a round trip
 *              └▶ least of (that − time the packet waited for the report) ─▶ propagation RTT
 *
 * Source: reference/gcc.md A1 step 2; libwebrtc 2026-08-22 goog_cc/goog_cc_network_control.
 *
 * Deviations: none.
 */
import type { Micros } from "../base/units.ts";
import type { TransportFeedback } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const REPORTS_MAX = 32;

export class FeedbackRtt {
  /** Of the last report: least round trip without the receiver's wait, Infinity when nothing was received. */
  propagation: Micros = Number.POSITIVE_INFINITY;
  readonly #greatest = new Float64Array(REPORTS_MAX);
  #count = 0;

  /** Takes a sorted report; false when it tells of no received packet. */
  add(feedback: TransportFeedback): boolean {
    const { received, order, sendTime, receiveTime, feedbackTime } = feedback;
    if (received === 0) return false;
    const newest = receiveTime[order[received - 1]!]!;
    let greatest = Number.NEGATIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < received; k++) {
      const i = order[k]!;
      const rtt = feedbackTime - sendTime[i]!;
      greatest = Math.max(greatest, rtt);
      least = Math.min(least, rtt - (newest - receiveTime[i]!));
    }
    this.propagation = least;
    this.#greatest[this.#count++ % REPORTS_MAX] = greatest;
    return true;
  }

  /** Least of the greatest round trips of the last reports; NaN before the first. */
  get least(): Micros {
    const n = Math.min(this.#count, REPORTS_MAX);
    let least = n === 0 ? Number.NaN : Number.POSITIVE_INFINITY;
    for (let i = 0; i < n; i++) least = Math.min(least, this.#greatest[i]!);
    return least;
  }

  /** Mean of the greatest round trips of the last reports; NaN before the first. */
  get mean(): Micros {
    const n = Math.min(this.#count, REPORTS_MAX);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += this.#greatest[i]!;
    return sum / n;
  }
}
