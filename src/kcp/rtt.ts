/**
 * Round-trip estimator in whole milliseconds, the shape of RFC 6298 with integer shifts.
 *
 *   first sample r:  srtt = r, rttvar = r/2
 *   then d = r − srtt:  srtt += d/8;  |d| joins rttvar by 1/4, or by 1/32 when r fell below srtt − rttvar (a sudden drop is no variance)
 *   rto = clamp(srtt + max(interval, 4·rttvar), minimum, 60 s)
 *
 * Source: reference/kcptun.md 5. Divisions are arithmetic shifts: they round towards minus infinity, as the peers' do.
 */
import { seqDiff } from "../base/seq.ts";
import type { Millis } from "../base/units.ts";

/** Spec. */
const RTO_INITIAL: Millis = 200;
const RTO_MIN_NORMAL: Millis = 100;
const RTO_MIN_NODELAY: Millis = 30;
const RTO_MAX: Millis = 60_000;

/** Tuning. */
const STALE_ACK_MS: Millis = 1000;
const STALE_ACK_RTOS = 2;

/** Bounds of the counted classes of samples: 1, 2, 4 … 16,384 ms, each its own upper one, and what is longer. */
export const RTT_BOUNDS_MS: readonly Millis[] = Array.from({ length: 15 }, (_, i) => 2 ** i);

export class Rtt {
  readonly #interval: Millis;
  readonly #rtoMin: Millis;
  /** Smoothed round trip, 0 before the first sample. */
  srtt: Millis = 0;
  rttvar: Millis = 0;
  rto: Millis = RTO_INITIAL;
  /** The sample last taken, −1 before the first. */
  latest: Millis = -1;
  /** The shortest sample, −1 before the first. */
  least: Millis = -1;
  /** Samples by RTT_BOUNDS_MS, and their sum: a histogram for those who watch. */
  readonly counts = new Uint32Array(RTT_BOUNDS_MS.length + 1);
  sum: Millis = 0;

  constructor(nodelay: 0 | 1, interval: Millis) {
    this.#interval = interval;
    this.#rtoMin = nodelay === 1 ? RTO_MIN_NODELAY : RTO_MIN_NORMAL;
  }

  /** Whether an ACK of what was acknowledged before may be a sample: a late one may, one of minutes ago is of a segment that FEC rebuilt. */
  isPlausible(current: number, ts: number): boolean {
    return seqDiff(current, ts) <= Math.max(STALE_ACK_MS, STALE_ACK_RTOS * this.rto);
  }

  /** A packet's last ACK echoes `ts` at `current` (32-bit clock): one sample; a time stamp of the future is a forgery or a peer's mistake. */
  echoed(current: number, ts: number): void {
    const rtt = seqDiff(current, ts);
    if (rtt >= 0) this.sample(rtt);
  }

  /** Takes one sample, a whole number of milliseconds 0…2^31−1. */
  sample(rtt: Millis): void {
    this.latest = rtt;
    if (this.least < 0 || rtt < this.least) this.least = rtt;
    this.sum += rtt;
    this.counts[rtt <= 1 ? 0 : Math.min(32 - Math.clz32(rtt - 1), RTT_BOUNDS_MS.length)]!++;
    if (this.srtt === 0) {
      this.srtt = rtt;
      this.rttvar = rtt >> 1;
    } else {
      const difference = rtt - this.srtt;
      this.srtt += difference >> 3;
      const deviation = Math.abs(difference);
      this.rttvar += (deviation - this.rttvar) >> (rtt < this.srtt - this.rttvar ? 5 : 2);
    }
    const rto = this.srtt + Math.max(this.#interval, 4 * this.rttvar);
    this.rto = Math.min(Math.max(rto, this.#rtoMin), RTO_MAX);
  }
}
