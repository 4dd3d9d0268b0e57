/** Losses by rows of segments, as when a burst is longer than the queue it meets: most of a row is missing, and of the next one. */
import { seqAdd, seqDiff } from "../base/seq.ts";
import type { Seq32 } from "../base/units.ts";

/** Tuning: segments of a row, and how many of rows one behind another are lost when a queue runs over, as no run of loss is so long. */
const ROW = 64;
const ROWS_LOST = 100;

export class LossRows {
  /** Segments that were missing when the last row ended. */
  lost = 0;
  #end: Seq32;
  #lost = 0;
  /** Of rows one behind another of which most was lost. */
  #most = 0;

  constructor(firstSn: Seq32) {
    this.#end = seqAdd(firstSn, ROW);
  }

  /** Segments came up to `top`, and `missing` before the last one did not; true when a row has ended. */
  took(top: Seq32, missing: number): boolean {
    this.#lost += missing;
    const beyond = seqDiff(top, this.#end);
    if (beyond < 0) return false;
    this.lost = this.#lost;
    this.#most = this.lost > (ROW + beyond) / 2 ? this.#most + this.lost : 0;
    this.#lost = 0;
    this.#end = seqAdd(top, ROW);
    return true;
  }

  /** So much was lost in a row that a queue ran over. */
  get overflowed(): boolean {
    return this.#most >= ROWS_LOST;
  }

  /** It is known. */
  clear(): void {
    this.#most = 0;
  }
}
