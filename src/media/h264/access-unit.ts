/**
 * Access units as files and RTMP carry them: NAL units one behind the other, each with its length before it (ISO/IEC 14496-15 section 5.3.4.2).
 *
 *   +--------------+----------+--------------+----------+----
 *   | length 1/2/4 | NAL unit | length 1/2/4 | NAL unit | …
 *   +--------------+----------+--------------+----------+----
 *
 * `inspectAccessUnit` answers bits, 0 for a damaged unit, so that nothing is allocated a frame.
 */
export const WELL_FORMED = 1;
/** Holds a slice of an instantaneous decoder refresh: a decoder can start here. */
export const HAS_IDR = 2;
/** Holds any slice. */
export const HAS_SLICE = 4;

/** Looks at bytes[start…]; `lengthBytes` is 1, 2 or 4. */
export function inspectAccessUnit(bytes: Uint8Array, start: number, lengthBytes: number): number {
  let found = WELL_FORMED;
  let at = start;
  while (at < bytes.length) {
    const length = readLength(bytes, at, lengthBytes);
    at += lengthBytes;
    if (length > bytes.length - at) return 0;
    // Some encoders emit empty NAL units; decoders skip them, so they do no harm.
    const type = length === 0 ? 0 : bytes[at]! & 0x1f;
    if (type === NAL_IDR) found |= HAS_IDR | HAS_SLICE;
    else if (type >= NAL_SLICE && type < NAL_IDR) found |= HAS_SLICE;
    at += length;
  }
  return found;
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

const NAL_SLICE = 1;
const NAL_IDR = 5;

/** The length at `at`; a length cut off by the end reads as too large to fit. */
function readLength(bytes: Uint8Array, at: number, lengthBytes: number): number {
  if (at + lengthBytes > bytes.length) return Number.POSITIVE_INFINITY;
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[at + i]!;
  return length;
}
