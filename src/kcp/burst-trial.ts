/**
 * What the first bursts of a peer that sends all it may at once say of the queue they met: that it took one as a whole, or
 * twice not the end of one.
 *
 *   sent at once   ████████████████████████████████        next one
 *   came           ████████████████████████ █  █ ·         █████████     most of the end is lost, twice: the queue is short
 *   came           ███████████████████· · · · · · ·        █████████     nothing came of the end, twice: it is, too
 *   came           ███████████·████████████████████                      whole: what is lost is not lost by a queue
 */
import { seqDiff } from "../base/seq.ts";
import type { Bytes, Millis } from "../base/units.ts";

/** Nothing is known yet; the queue takes such bursts; it is short. */
export type Verdict = "open" | "long" | "short";

/** Tuning: what is sent within so long is sent at once. */
const AT_ONCE_MS: Millis = 8;
/** A burst of less says nothing. */
const WHOLE: Bytes = 28_000;
/** Of the end, behind so much, so many are lost by a queue; or so many in a row up to what was sent later. */
const END_FROM: Bytes = 15_000;
const END_LOST = 2;
const ROW_LOST = 8;
const ROW_LOST_BYTES: Bytes = 6000;

export class BurstTrial {
  /** Segments of the burst that is arriving that came. */
  came = 0;
  #ts = 0;
  #bytes: Bytes = 0;
  #endLost = 0;
  /** It has been judged. */
  #judged = false;
  #cut = 0;

  /**
   * A segment of `length` bytes came, the first one beyond `ahead` that did not; `ahead` is negative when it had been missing. `full`: the queue has lately held as
   * much as ever.
   */
  take(ts: number, ahead: number, length: Bytes, full: boolean): Verdict {
    if (this.came > 0 && seqDiff(ts, this.#ts) <= AT_ONCE_MS) {
      this.came++;
      if (ahead < 0) return "open";
      if (this.#bytes > END_FROM) this.#endLost += ahead;
      this.#bytes += length * (ahead + 1);
      return this.#judged || this.#bytes < WHOLE ? "open" : this.#judge(full);
    }
    const short = full && this.came > 0 && ahead >= ROW_LOST && ahead * length > ROW_LOST_BYTES && ++this.#cut > 1;
    this.came = 1;
    this.#ts = ts;
    this.#bytes = length;
    this.#endLost = 0;
    this.#judged = false;
    return short ? "short" : "open";
  }

  /** The end of a burst was lost once. */
  get doubtful(): boolean {
    return this.#cut > 0;
  }

  #judge(full: boolean): Verdict {
    this.#judged = true;
    if (this.#endLost < END_LOST || !full) return "long";
    return ++this.#cut > 1 ? "short" : "open";
  }
}
