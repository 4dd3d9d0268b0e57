/**
 * NAL units one behind the other, each with its length before it, as files and RTMP carry those of H.264 and H.265 (ISO/IEC 14496-15 sections 5.3.4.2, 8.3.2.2).
 */

/** The length at `at`; a length cut off by the end reads as too large to fit. */
export function readLength(bytes: Uint8Array, at: number, lengthBytes: number): number {
  if (at + lengthBytes > bytes.length) return Number.POSITIVE_INFINITY;
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[at + i]!;
  return length;
}

/** A well-formed unit with lengths of 1 or 2 bytes, rewritten with lengths of 4. */
export function widenLengths(bytes: Uint8Array, start: number, lengthBytes: number): Uint8Array {
  let units = 0;
  for (let at = start; at < bytes.length; at += lengthBytes + readLength(bytes, at, lengthBytes)) units++;
  const widened = new Uint8Array(bytes.length - start + units * (4 - lengthBytes));
  let to = 0;
  for (let at = start; at < bytes.length; ) {
    const length = readLength(bytes, at, lengthBytes);
    at += lengthBytes;
    widened[to + 2] = length >>> 8;
    widened[to + 3] = length;
    widened.set(bytes.subarray(at, at + length), to + 4);
    to += 4 + length;
    at += length;
  }
  return widened;
}
