/** How much longer than the quickest ones segments of a peer are under way, by its time stamps: nobody knows by how much the clocks differ, nor for how long by that. */
import { seqDiff } from "../base/seq.ts";
import type { Millis } from "../base/units.ts";
import { clock } from "./segment.ts";

/** Tuning: the quickest of so long, and of the time before, is what others are compared with. */
const LEAST_MS: Millis = 30_000;
const DELAY_SHARE = 1 / 16;

export class PeerDelay {
  /** Of the last segment; and on average. */
  last: Millis = 0;
  delay: Millis = 0;
  /** The newest time stamp. */
  newest = 0;
  /** Of the quickest segment: our clock at its arrival less the peer's when it was sent. */
  least = 0;
  #next = 0;
  #nextAt: Millis = -1;

  took(now: Millis, ts: number): void {
    const way = seqDiff(clock(now), ts);
    if (now >= this.#nextAt) {
      if (this.#nextAt < 0) this.newest = ts;
      this.least = this.#nextAt < 0 ? way : this.#next;
      this.#next = way;
      this.#nextAt = now + LEAST_MS;
    }
    if (seqDiff(ts, this.newest) > 0) this.newest = ts;
    if (seqDiff(way, this.#next) < 0) this.#next = way;
    if (seqDiff(way, this.least) < 0) this.least = way;
    this.last = seqDiff(way, this.least);
    this.delay += (this.last - this.delay) * DELAY_SHARE;
  }
}
