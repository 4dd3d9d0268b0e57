/**
 * Reno's congestion window (RFC 5681, with SACK as NewReno), in segments: the other TCP that RFC 8867 lets compete.
 *
 * Deviation: a reduction takes effect at once instead of over a round trip.
 */
import type { Millis } from "../base/units.ts";
import { INITIAL_WINDOW } from "./cubic.ts";
import type { TcpCongestion } from "./tcp-congestion.ts";

/** Spec (RFC 5681 section 3.1). */
const BETA = 0.5;
const SSTHRESH_MIN = 2;

export class Reno implements TcpCongestion {
  cwnd = INITIAL_WINDOW;
  ssthresh = Number.POSITIVE_INFINITY;

  acked(_now: Millis, acked: number, _rtt: Millis): void {
    if (this.cwnd < this.ssthresh) this.cwnd = Math.min(this.cwnd + acked, Math.max(this.ssthresh, this.cwnd));
    else this.cwnd += acked / this.cwnd;
  }

  reduce(): void {
    this.ssthresh = Math.max(this.cwnd * BETA, SSTHRESH_MIN);
    this.cwnd = this.ssthresh;
  }

  collapse(): void {
    this.reduce();
    this.cwnd = 1;
  }

  restart(): void {
    this.cwnd = Math.min(this.cwnd, INITIAL_WINDOW);
  }
}
