/** Something that may happen a hundred thousand times a second and is logged once a second, with its count. */
import type { Millis } from "../base/units.ts";

const PERIOD_MS: Millis = 1000;

export class Recurrence {
  /** Since the beginning. */
  count = 0;
  #told = 0;
  #toldAt: Millis = Number.NEGATIVE_INFINITY;

  /** Counts one. Answers how many a line has to tell of now; 0 = no line is due. */
  happened(now: Millis): number {
    this.count++;
    if (now - this.#toldAt < PERIOD_MS) return 0;
    const untold = this.count - this.#told;
    this.#told = this.count;
    this.#toldAt = now;
    return untold;
  }
}
