/** Which NAL units of H.265 are slices, and which pictures are random access points (ITU-T H.265 table 7-1). */
import { HAS_SLICE, HAS_START, inspect } from "../nal/access-unit.ts";

/** Looks at bytes[start…]; `lengthBytes` is 1, 2 or 4; 0 for a damaged unit. */
export function inspectAccessUnit(bytes: Uint8Array, start: number, lengthBytes: number): number {
  return inspect(bytes, start, lengthBytes, kinds);
}

const FIRST_RANDOM_ACCESS = 16;
const LAST_RANDOM_ACCESS = 23;
const LAST_SLICE = 31;
const kinds = Uint8Array.from({ length: 256 }, (_, header) => {
  const type = (header >> 1) & 0x3f;
  if (type > LAST_SLICE) return 0;
  return type >= FIRST_RANDOM_ACCESS && type <= LAST_RANDOM_ACCESS ? HAS_START | HAS_SLICE : HAS_SLICE;
});
