/** Which NAL units of H.264 are slices, and of which pictures a decoder can start with (ITU-T H.264 table 7-1). */
import { HAS_SLICE, HAS_START, inspect } from "../nal/access-unit.ts";

/** Holds a slice of an instantaneous decoder refresh: a decoder can start here. */
export const HAS_IDR = HAS_START;
export { HAS_SLICE, WELL_FORMED } from "../nal/access-unit.ts";

/** Looks at bytes[start…]; `lengthBytes` is 1, 2 or 4; 0 for a damaged unit. */
export function inspectAccessUnit(bytes: Uint8Array, start: number, lengthBytes: number): number {
  return inspect(bytes, start, lengthBytes, kinds);
}

const NAL_SLICE = 1;
const NAL_IDR = 5;
const kinds = Uint8Array.from({ length: 256 }, (_, header) => {
  const type = header & 0x1f;
  if (type === NAL_IDR) return HAS_START | HAS_SLICE;
  return type >= NAL_SLICE && type < NAL_IDR ? HAS_SLICE : 0;
});
