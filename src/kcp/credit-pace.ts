/** How fast the edge moves for a peer that has more than it may send: nearly as fast as the path delivers, less where a queue grows or runs over nevertheless. */
import type { Millis } from "../base/units.ts";

/** Tuning: how long a queue shall be; how fast the share grows where there is none, and falls where it is twice as long, in a round trip. */
const QUEUE_MS: Millis = 7;
const GROWTH = 0.3;
const STEP = 0.15;
/** Shares of what the path delivers: to begin with at most, at most, at least; and of the first burst, as nobody knows how much parity follows. */
const SHARE = 0.92;
const SHARE_MOST = 0.97;
const SHARE_LEAST = 0.1;
const SHARE_OPENING = 0.7;
/** More than that, by so much in a round trip, where next to nothing waits. */
const ROOMY = 0.7;
const BEYOND = 1.05;
/** Where segments are missing the peer sends by its timer. */
const PACE_MISSING = 0.6;
const TIMER_SHARE = 0.8;
const MISSING = 2;
/** Steps between which little time went by. */
const STEP_MS_MAX: Millis = 20;

export class CreditPace {
  #share = SHARE;
  /** What the path delivers. */
  #known = false;
  #turnAt: Millis = 0;
  #fraction = 0;

  /**
   * Segments a millisecond, where the path delivers `line` of them, 0: not known yet, and the peer's timer alone would let go `byTimer`. A round trip has gone by, of
   * length `rtt`, or the peer `begins` to have more; `delay`: of its segments in queues.
   */
  of(line: number, byTimer: number, now: Millis, begins: boolean, opening: boolean, rtt: Millis, delay: Millis): number {
    const known = line > 0;
    if (known && !this.#known) this.#share = SHARE;
    this.#known = known;
    if (begins) {
      this.#turnAt = now + 2 * rtt;
      this.#share = Math.min(this.#share, Math.max(SHARE, this.#share / BEYOND));
    } else if (now >= this.#turnAt) {
      this.#turnAt = now + rtt;
      this.#turn(Math.max(-1, 1 - delay / QUEUE_MS));
    }
    return (known ? line : byTimer) * (opening ? SHARE_OPENING : this.#share);
  }

  /** `room`: 1, nothing waits, to −1. */
  #turn(room: number): void {
    const before = this.#share;
    this.#share *= 1 + (room > 0 ? GROWTH * room * room : STEP * room);
    // Nothing waits though all is let go that the path seems to deliver: it delivers more.
    const beyond = room > ROOMY ? BEYOND : 1;
    this.#share = Math.max(SHARE_LEAST, Math.min(this.#share, Math.max(SHARE_MOST, before * beyond)));
  }

  /** A queue ran over. */
  overflowed(now: Millis, rtt: Millis): void {
    this.#share *= 1 - STEP;
    this.#turnAt = now + 2 * rtt;
  }

  /** While `una` stands the peer's timer keeps it going, and what that lets go, `byTimer`, is a burst, too; so many segments are `missing`. */
  bounded(pace: number, byTimer: number, stands: boolean, missing: number): number {
    if (!stands) return pace;
    return Math.min(pace, missing > MISSING ? Math.max(TIMER_SHARE * byTimer, PACE_MISSING * pace) : byTimer);
  }

  /** Whole segments that `since` has let go at `pace` segments a millisecond. */
  whole(pace: number, since: Millis): number {
    this.#fraction += pace * Math.min(since, STEP_MS_MAX);
    const whole = Math.floor(this.#fraction);
    this.#fraction -= whole;
    return whole;
  }
}
