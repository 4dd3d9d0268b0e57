/** What the acknowledgements of a while told: of a round, or of a phase. */
import type { AckRound } from "../base/rate-controller.ts";
import type { Bytes, Millis } from "../base/units.ts";

export class Tally {
  lost: Bytes = 0;
  /** In so many runs. */
  lostRuns = 0;
  /** The longest. */
  silence: Millis = 0;
  delivered: Bytes = 0;
  /** Shortest and longest round trip, +∞ and 0 when there was none. */
  rttMin: Millis = Number.POSITIVE_INFINITY;
  rttMax: Millis = 0;
  /** Most that was in flight. */
  inFlight: Bytes = 0;

  /** Lost and delivered. */
  get sent(): Bytes {
    return this.lost + this.delivered;
  }

  add(round: AckRound): void {
    this.lost += round.lost;
    this.lostRuns += round.lostRuns;
    this.silence = Math.max(this.silence, round.silence);
    this.delivered += round.newly;
    this.inFlight = Math.max(this.inFlight, round.inFlight + round.lost + round.newly);
    if (round.rtt < 0) return;
    this.rttMin = Math.min(this.rttMin, round.rtt);
    this.rttMax = Math.max(this.rttMax, round.rtt);
  }

  clear(): void {
    this.lost = 0;
    this.lostRuns = 0;
    this.silence = 0;
    this.delivered = 0;
    this.rttMin = Number.POSITIVE_INFINITY;
    this.rttMax = 0;
    this.inFlight = 0;
  }
}
