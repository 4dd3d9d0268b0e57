/** Expands blocks (drawing in `block.ts`). Every length and offset of the input is checked: hostile input is answered with −1. */
import type { Bytes } from "../base/units.ts";
import { TAG_COPY_1, TAG_COPY_2, TAG_LITERAL } from "./block.ts";

/** From here on the fixed cost of `copyWithin` is less than that of a loop. */
const COPY_WITHIN_BYTES_MIN = 48;

export class BlockDecoder {
  /** First byte behind the length that `length` read. */
  #at = 0;

  /**
   * Expands the block bytes[start…end) to into[offset…limit). Answers the bytes written, or −1 when the block is damaged or longer than
   * the room; what lies in the room is then undefined. `into` must not overlap the input.
   */
  uncompress(bytes: Uint8Array, start: number, end: number, into: Uint8Array, offset: number, limit: number): Bytes {
    const length = this.length(bytes, start, end);
    if (length < 0 || length > Math.min(limit, into.length) - offset) return -1;
    const last = offset + length;
    let s = this.#at;
    let d = offset;
    while (s < end) {
      const tag = bytes[s++]!;
      let n = (tag >>> 2) + 1;
      if ((tag & 3) === TAG_LITERAL) {
        if (n > 60) {
          const extra = n - 60;
          if (extra > end - s) return -1;
          n = littleEndian(bytes, s, extra) + 1;
          s += extra;
        }
        if (n > end - s || n > last - d) return -1;
        for (const to = d + n; d < to; ) into[d++] = bytes[s++]!;
        continue;
      }
      let distance: number;
      if ((tag & 3) === TAG_COPY_1) {
        if (s >= end) return -1;
        n = ((tag >>> 2) & 7) + 4;
        distance = ((tag >>> 5) << 8) | bytes[s++]!;
      } else {
        const extra = (tag & 3) === TAG_COPY_2 ? 2 : 4;
        if (extra > end - s) return -1;
        distance = littleEndian(bytes, s, extra);
        s += extra;
      }
      if (distance === 0 || distance > d - offset || n > last - d) return -1;
      if (n >= COPY_WITHIN_BYTES_MIN && distance >= n) {
        into.copyWithin(d, d - distance, d - distance + n);
        d += n;
      } else {
        // An offset below the length repeats what this very copy writes, so the bytes go one by one, forwards.
        for (const to = d + n; d < to; d++) into[d] = into[d - distance]!;
      }
    }
    return d === last ? length : -1;
  }

  /** Bytes that the block bytes[start…end) claims to expand to: the uvarint in front of it, or −1 when that is damaged or passes 28 bits, far beyond what any block may hold. */
  length(bytes: Uint8Array, start: number, end: number): number {
    let length = 0;
    for (let at = start, shift = 0; at < end && shift < 28; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return length;
      }
    }
    return -1;
  }
}

/** `n` bytes, 1…4, as an unsigned integer. */
function littleEndian(bytes: Uint8Array, at: number, n: number): number {
  let value = 0;
  for (let i = n - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
