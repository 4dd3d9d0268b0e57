/**
 * The snappy block format: one piece of data of known length, compressed by itself (snappy `format_description.txt`).
 *
 *   block   = length, uvarint (7 bits a byte, low first) | element …
 *   element = literal or copy; the low two bits of its tag tell:
 *
 *     00  literal    len-1 in the upper 6 bits if below 60, else in the 1…4 bytes that follow (60…63), then the bytes themselves
 *     01  copy       len-4 in bits 2…4, offset in bits 5…7 (high) and 1 byte (low): 4…11 bytes from up to 2047 back
 *     10  copy       len-1 in the upper 6 bits, offset in 2 bytes: 1…64 bytes from up to 65535 back
 *     11  copy       the same with an offset of 4 bytes
 *
 * All integers are little-endian. `block-encoder.ts` writes it, `block-decoder.ts` reads it.
 *
 * Deviations: none on the wire. Blocks hold at most 64 KiB, as the framing format demands, so the encoder never writes a
 * 4-byte offset and the decoder refuses every offset beyond the start of the block.
 */
import type { Bytes } from "../base/units.ts";

/** Most bytes one block may hold uncompressed. */
export const BLOCK_BYTES: Bytes = 65536;

export const TAG_LITERAL = 0;
export const TAG_COPY_1 = 1;
export const TAG_COPY_2 = 2;

/** Most bytes a sane encoder makes of a block of `n`: a peer's chunk beyond this is damaged. */
export function compressedBytesMax(n: Bytes): Bytes {
  return 32 + n + Math.floor(n / 6);
}
