/**
 * What an access unit holds, told by the first byte of each of its NAL units; the answer is bits, so that nothing is allocated a frame.
 */
import { readLength } from "./length.ts";

export const WELL_FORMED = 1;
/** A decoder can start here. */
export const HAS_START = 2;
/** Holds any slice. */
export const HAS_SLICE = 4;

/** Looks at bytes[start…]; `lengthBytes` is 1, 2 or 4; `kinds`: bits by the first byte of a NAL unit. 0 for a damaged unit. */
export function inspect(bytes: Uint8Array, start: number, lengthBytes: number, kinds: Uint8Array): number {
  let found = WELL_FORMED;
  let at = start;
  while (at < bytes.length) {
    const length = readLength(bytes, at, lengthBytes);
    at += lengthBytes;
    if (length > bytes.length - at) return 0;
    // Some encoders emit empty NAL units; decoders skip them, so they do no harm.
    if (length > 0) found |= kinds[bytes[at]!]!;
    at += length;
  }
  return found;
}
