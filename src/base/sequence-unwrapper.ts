/**
 * Counters that wrap on the wire, continued without end: RTP sequence numbers and transport-wide ones (16 bits), the reference time of
 * transport feedback and abs-send-time (24), RTP timestamps (32).
 *
 *   wire        65534  65535      0      1  65535      2
 *   unwrapped   65534  65535  65536  65537  65535  65538
 *
 * Each value is taken as the one nearest to the last (RFC 1982), so late ones unwrap too; exactly half way off counts as backwards.
 * Results may go below the first value, and below 0.
 */
import { assert } from "./assert.ts";

export class SequenceUnwrapper {
  readonly #shift: number;
  #last = 0;
  #started = false;

  /** `bits` is the width on the wire, 1…32. */
  constructor(bits: number) {
    assert(bits >= 1 && bits <= 32, `a counter of ${bits} bits`);
    this.#shift = 32 - bits;
  }

  /** Unwraps `value` and goes on from there. The first value is taken as it is. */
  unwrap(value: number): number {
    const unwrapped = this.peek(value);
    this.#started = true;
    this.#last = unwrapped;
    return unwrapped;
  }

  /** What `unwrap` would answer, without going on from there: for values that are not trusted yet. */
  peek(value: number): number {
    if (!this.#started) return value;
    return this.#last + (((value - this.#last) << this.#shift) >> this.#shift);
  }
}
