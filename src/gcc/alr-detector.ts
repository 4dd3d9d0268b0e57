/**
 * Detector of the application-limited region: the sender offers clearly less than the estimate, so what is acknowledged says little about
 * the path, and only probes can.
 *
 *   sent bytes ─▶ budget that refills at 65 % of the estimate, ±500 ms of it ─▶ fill above 0.80: limited; below 0.50: no longer
 *
 * Source: reference/gcc.md E; libwebrtc 2026-08-22 goog_cc/alr_detector with interval_budget (underuse is kept, so the budget rises above zero
 * while little is sent).
 *
 * Deviations: time is counted in microseconds instead of milliseconds.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const BANDWIDTH_USAGE_RATIO = 0.65;
const START_BUDGET_RATIO = 0.8;
const STOP_BUDGET_RATIO = 0.5;
const BUDGET_WINDOW: Micros = 500_000;

export class AlrDetector {
  #rate: BitsPerSecond = 0;
  /** Bytes that could have been sent and were not; negative after more was sent than the budget gives. */
  #remaining: Bytes = 0;
  #lastSendTime: Micros = Number.NaN;
  /** When the region began, or NaN outside it. */
  startTime: Micros = Number.NaN;

  get limited(): boolean {
    return !Number.isNaN(this.startTime);
  }

  /** The estimate that what is sent is compared with. */
  setEstimate(bitrate: BitsPerSecond): void {
    this.#rate = bitrate * BANDWIDTH_USAGE_RATIO;
    const most = this.#most;
    this.#remaining = Math.min(Math.max(this.#remaining, -most), most);
  }

  onBytesSent(bytes: Bytes, sendTime: Micros): void {
    if (Number.isNaN(this.#lastSendTime)) {
      // The first packet says since when, not how much.
      this.#lastSendTime = sendTime;
      return;
    }
    const elapsed = Math.max(0, sendTime - this.#lastSendTime);
    this.#lastSendTime = sendTime;
    const most = this.#most;
    this.#remaining = Math.max(this.#remaining - bytes, -most);
    this.#remaining = Math.min(this.#remaining + (this.#rate * elapsed) / 8e6, most);
    const fill = most === 0 ? 0 : this.#remaining / most;
    if (fill > START_BUDGET_RATIO && !this.limited) this.startTime = sendTime;
    else if (fill < STOP_BUDGET_RATIO && this.limited) this.startTime = Number.NaN;
  }

  get #most(): Bytes {
    return (this.#rate * BUDGET_WINDOW) / 8e6;
  }
}
