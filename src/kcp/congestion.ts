/**
 * Congestion window of nc = 0: slow start, additive growth, and on a resend down to half of what is in flight, on a timeout down to 1.
 * With nc = 1 it does not limit and `cwnd` stays 0, as the peers report it.
 *
 *   per packet that moved una:  cwnd < ssthresh: cwnd + 1;  else incr += mss²/incr + mss/16, cwnd = ⌈incr/mss⌉
 *   fast or early resend:       ssthresh = max(inflight/2, 2), cwnd = ssthresh + resend
 *   timeout:                    ssthresh = max(window/2, 2),   cwnd = 1
 *
 * Source: reference/kcptun.md 5.1 (6), 5.2; divisions are of integers.
 * Deviation: cwnd starts at 1. The peers start at 0 and come to 1 at the end of their first, empty, flush: the same packets at the same times.
 */
import type { Bytes } from "../base/units.ts";

/** Spec. */
const SSTHRESH_INITIAL = 2;
const SSTHRESH_MIN = 2;

export class Congestion {
  /** False with nc = 1. */
  readonly limits: boolean;
  readonly #mss: Bytes;
  readonly #resend: number;
  /** Segments, 0 with nc = 1. */
  cwnd: number;
  ssthresh = SSTHRESH_INITIAL;
  /** The window in bytes while it grows by parts of a segment. */
  #incr: Bytes;

  constructor(nc: 0 | 1, mss: Bytes, resend: number) {
    this.limits = nc === 0;
    this.#mss = mss;
    this.#resend = resend;
    this.cwnd = this.limits ? 1 : 0;
    this.#incr = this.limits ? mss : 0;
  }

  /** A packet moved `una`; `rmtWnd` is the peer's window, beyond which growing has no use. */
  progressed(rmtWnd: number): void {
    if (!this.limits || this.cwnd >= rmtWnd) return;
    const mss = this.#mss;
    if (this.cwnd < this.ssthresh) {
      this.cwnd++;
      this.#incr += mss;
    } else {
      if (this.#incr < mss) this.#incr = mss;
      this.#incr += Math.floor((mss * mss) / this.#incr) + (mss >> 4);
      if ((this.cwnd + 1) * mss <= this.#incr) this.cwnd = Math.floor((this.#incr + mss - 1) / mss);
    }
    if (this.cwnd > rmtWnd) {
      this.cwnd = rmtWnd;
      this.#incr = rmtWnd * mss;
    }
  }

  /** A flush ended that resent segments because of later ACKs. `inFlight` in segments. */
  resent(inFlight: number): void {
    if (!this.limits) return;
    this.ssthresh = Math.max(inFlight >> 1, SSTHRESH_MIN);
    this.cwnd = this.ssthresh + this.#resend;
    this.#incr = this.cwnd * this.#mss;
  }

  /** A flush ended that resent segments because their time was up. `window` is what limited that flush, in segments. */
  timedOut(window: number): void {
    if (!this.limits) return;
    this.ssthresh = Math.max(window >> 1, SSTHRESH_MIN);
    this.cwnd = 1;
    this.#incr = this.#mss;
  }
}
