/**
 * Compresses blocks: greedy matching through a hash table of 4-byte sequences, as the reference encoder of the Go library chooses its
 * matches, so that the same input gives the same bytes.
 *
 * Deviation: it gives up as soon as the output passes a limit, since the framing would store such a block anyway.
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/units.ts";
import { BLOCK_BYTES, TAG_COPY_1, TAG_COPY_2, TAG_LITERAL } from "./block.ts";

const TABLE_BITS_MIN = 8;
const TABLE_BITS_MAX = 14;
const HASH_MULTIPLIER = 0x1e35a7bd;
/** The search stops this far before the end, so that it may always read 8 bytes ahead. */
const INPUT_MARGIN = 15;
/** Shorter blocks are one literal. */
const MATCHED_BYTES_MIN = 2 + INPUT_MARGIN;
/** The search steps one byte at first and one more for every 32 misses: data that does not compress is passed over fast. */
const SKIP_START = 32;
const COPY_1_OFFSET_END = 2048;

/**
 * Where, counted from the start of the block, a sequence with this hash was last seen. It begins anew with each block, so all encoders of a
 * thread share it: 32 KB in each of a thousand sessions would be most of what they take.
 */
const table = new Uint16Array(1 << TABLE_BITS_MAX);

export class BlockEncoder {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #into: Uint8Array = this.#bytes;
  /** Next byte of #into to write. */
  #at = 0;
  #limit = 0;

  /**
   * Compresses bytes[start…end), 1…65536 bytes, to into[offset…limit). Answers the bytes written, or 0 when they would pass `limit`;
   * what lies behind `offset` is then undefined. `into` must not overlap the input; neither is kept beyond the next call.
   */
  compress(bytes: Uint8Array, start: number, end: number, into: Uint8Array, offset: number, limit: number): Bytes {
    const n = end - start;
    assert(n >= 1 && n <= BLOCK_BYTES, "a block holds 1…65536 bytes");
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#into = into;
    this.#at = offset;
    this.#limit = Math.min(limit, into.length);
    if (!this.#putLength(n)) return 0;
    const fits = n < MATCHED_BYTES_MIN ? this.#putLiteral(start, end) : this.#match(start, end);
    return fits ? this.#at - offset : 0;
  }

  #match(start: number, end: number): boolean {
    const view = this.#view;
    let shift = 32 - TABLE_BITS_MIN;
    while (shift > 32 - TABLE_BITS_MAX && 1 << (32 - shift) < end - start) shift--;
    table.fill(0, 0, 1 << (32 - shift));
    const searchEnd = end - INPUT_MARGIN;
    let literal = start;
    let s = start + 1;
    let hash = Math.imul(view.getInt32(s, true), HASH_MULTIPLIER) >>> shift;
    for (;;) {
      let skip = SKIP_START;
      let next = s;
      let candidate: number;
      let sequence: number;
      do {
        s = next;
        const step = skip >> 5;
        next = s + step;
        skip += step;
        if (next > searchEnd) return this.#putLiteral(literal, end);
        candidate = start + table[hash]!;
        table[hash] = s - start;
        sequence = view.getInt32(s, true);
        hash = Math.imul(view.getInt32(next, true), HASH_MULTIPLIER) >>> shift;
      } while (sequence !== view.getInt32(candidate, true));
      if (!this.#putLiteral(literal, s)) return false;
      // A match is followed by the next one at once as long as there is one: no literal between them.
      do {
        const matched = s;
        s = this.#matchEnd(candidate + 4, s + 4, end);
        if (!this.#putCopy(matched - candidate, s - matched)) return false;
        literal = s;
        if (s >= searchEnd) return this.#putLiteral(literal, end);
        table[Math.imul(view.getInt32(s - 1, true), HASH_MULTIPLIER) >>> shift] = s - 1 - start;
        sequence = view.getInt32(s, true);
        hash = Math.imul(sequence, HASH_MULTIPLIER) >>> shift;
        candidate = start + table[hash]!;
        table[hash] = s - start;
      } while (sequence === view.getInt32(candidate, true));
      s++;
      hash = Math.imul(view.getInt32(s, true), HASH_MULTIPLIER) >>> shift;
    }
  }

  /** End of the equal run of which bytes[candidate…] is the earlier and bytes[s…end) the later part. */
  #matchEnd(candidate: number, s: number, end: number): number {
    const view = this.#view;
    const bytes = this.#bytes;
    while (s + 4 <= end && view.getInt32(candidate, true) === view.getInt32(s, true)) {
      candidate += 4;
      s += 4;
    }
    while (s < end && bytes[candidate] === bytes[s]) {
      candidate++;
      s++;
    }
    return s;
  }

  #putLength(n: number): boolean {
    if (this.#at + 3 > this.#limit) return false;
    let rest = n;
    for (; rest >= 0x80; rest >>>= 7) this.#into[this.#at++] = rest | 0x80;
    this.#into[this.#at++] = rest;
    return true;
  }

  #putLiteral(from: number, to: number): boolean {
    const n = to - from;
    if (n === 0) return true;
    const into = this.#into;
    const bytes = this.#bytes;
    let at = this.#at;
    if (at + (n <= 60 ? 1 : n <= 256 ? 2 : 3) + n > this.#limit) return false;
    if (n <= 60) into[at++] = ((n - 1) << 2) | TAG_LITERAL;
    else if (n <= 256) {
      into[at++] = (60 << 2) | TAG_LITERAL;
      into[at++] = n - 1;
    } else {
      into[at++] = (61 << 2) | TAG_LITERAL;
      into[at++] = n - 1;
      into[at++] = (n - 1) >>> 8;
    }
    for (let i = from; i < to; i++) into[at++] = bytes[i]!;
    this.#at = at;
    return true;
  }

  /** Long matches are cut into copies of 64, the last but one into 60 if that leaves the last at least 4 bytes for its short form. */
  #putCopy(distance: number, length: number): boolean {
    const into = this.#into;
    const limit = this.#limit;
    let at = this.#at;
    let left = length;
    while (left > 64) {
      const n = left >= 68 ? 64 : 60;
      if (at + 3 > limit) return false;
      into[at++] = ((n - 1) << 2) | TAG_COPY_2;
      into[at++] = distance;
      into[at++] = distance >>> 8;
      left -= n;
    }
    const long = left >= 12 || distance >= COPY_1_OFFSET_END;
    if (at + (long ? 3 : 2) > limit) return false;
    if (long) {
      into[at++] = ((left - 1) << 2) | TAG_COPY_2;
      into[at++] = distance;
      into[at++] = distance >>> 8;
    } else {
      into[at++] = ((distance >>> 8) << 5) | ((left - 4) << 2) | TAG_COPY_1;
      into[at++] = distance;
    }
    this.#at = at;
    return true;
  }
}
