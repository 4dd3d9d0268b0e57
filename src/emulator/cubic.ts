/**
 * CUBIC's congestion window (RFC 9438), in segments, for the model of a kernel TCP.
 *
 *   W_cubic(t) = C·(t − K)³ + W_max      K = ∛((W_max − cwnd at the reduction) / C)
 *
 * Deviations: no HyStart; a reduction takes effect at once instead of over a round trip (PRR).
 */
import type { Millis } from "../base/units.ts";
import type { TcpCongestion } from "./tcp-congestion.ts";

/** Spec (RFC 9438 section 4). */
const C = 0.4;
const BETA = 0.7;
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** RFC 6928. */
export const INITIAL_WINDOW = 10;
const SSTHRESH_MIN = 2;

export class Cubic implements TcpCongestion {
  /** Segments; fractions count. */
  cwnd = INITIAL_WINDOW;
  ssthresh = Number.POSITIVE_INFINITY;
  #wMax = 0;
  #k = 0;
  #epoch: Millis = -1;
  #wEstimate = 0;

  /** `acked` segments were newly delivered while the window was in full use; `rtt` is the smoothed round trip. */
  acked(now: Millis, acked: number, rtt: Millis): void {
    if (this.cwnd < this.ssthresh) {
      this.cwnd = Math.min(this.cwnd + acked, Math.max(this.ssthresh, this.cwnd));
      return;
    }
    if (this.#epoch < 0) {
      this.#epoch = now;
      this.#k = this.cwnd < this.#wMax ? Math.cbrt((this.#wMax - this.cwnd) / C) : 0;
      if (this.#k === 0) this.#wMax = this.cwnd;
      this.#wEstimate = this.cwnd;
    }
    const t = (now - this.#epoch + rtt) / 1000;
    const target = Math.min(Math.max(C * (t - this.#k) ** 3 + this.#wMax, this.cwnd), 1.5 * this.cwnd);
    this.#wEstimate += ALPHA * (acked / this.cwnd);
    this.cwnd = Math.max(this.cwnd + ((target - this.cwnd) / this.cwnd) * acked, this.#wEstimate);
  }

  /** A loss was detected: once per window. */
  reduce(): void {
    // Fast convergence: a flow that shrinks leaves room for newcomers.
    this.#wMax = this.cwnd < this.#wMax ? (this.cwnd * (1 + BETA)) / 2 : this.cwnd;
    this.ssthresh = Math.max(this.cwnd * BETA, SSTHRESH_MIN);
    this.cwnd = this.ssthresh;
    this.#epoch = -1;
  }

  /** The retransmission timer fired. */
  collapse(): void {
    this.reduce();
    this.cwnd = 1;
  }

  /** Nothing was sent for longer than the timer: start again gently (RFC 9293, congestion window validation). */
  restart(): void {
    this.cwnd = Math.min(this.cwnd, INITIAL_WINDOW);
    this.#epoch = -1;
  }
}
