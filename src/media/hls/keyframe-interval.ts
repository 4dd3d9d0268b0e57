/**
 * How far apart an encoder sets its key frames: the longest of the last intervals. From it the segmenter knows whether a segment that goes on past
 * a key frame would reach the next one in time.
 */
import type { Micros } from "../../base/units.ts";

export class KeyframeInterval {
  readonly #intervals = new Float64Array(4);
  readonly #assumed: Micros;
  #seen = 0;
  #last: Micros = 0;

  /** `assumed` counts until two intervals were seen. */
  constructor(assumed: Micros) {
    this.#assumed = assumed;
  }

  /** A key frame at `dts`. */
  observe(dts: Micros): void {
    if (this.#seen > 0) this.#intervals[(this.#seen - 1) & 3] = dts - this.#last;
    this.#seen++;
    this.#last = dts;
  }

  /** The longest interval, including the one that a key frame at `dts` would end. */
  longest(dts: Micros): Micros {
    let longest = dts - this.#last;
    for (let i = 0; i < 4; i++) longest = Math.max(longest, this.#intervals[i]!);
    return this.#seen < 3 ? Math.max(longest, this.#assumed) : longest;
  }
}
