/** Temporal units of AV1: all of one picture. Containers leave the delimiter between them out (AV1 in ISOBMFF section 2.4). */
import { FRAME, FRAME_HEADER, ObuReader, SEQUENCE_HEADER, TEMPORAL_DELIMITER } from "./obu.ts";

export const WELL_FORMED = 1;
/** Brings the sequence header along, as every random access point does. */
export const HAS_SEQUENCE_HEADER = 2;
export const HAS_FRAME = 4;

/** Looks at bytes[start…]; 0 for a damaged unit. */
export function inspectTemporalUnit(bytes: Uint8Array, start: number): number {
  const units = new ObuReader(bytes, start);
  let found = WELL_FORMED;
  while (units.next()) {
    if (units.type === SEQUENCE_HEADER) found |= HAS_SEQUENCE_HEADER;
    if (units.type === FRAME || units.type === FRAME_HEADER) found |= HAS_FRAME;
  }
  return units.damaged ? 0 : found;
}

/** bytes[start…] without a delimiter at its begin. */
export function withoutDelimiter(bytes: Uint8Array, start: number): Uint8Array {
  const units = new ObuReader(bytes, start);
  return units.next() && units.type === TEMPORAL_DELIMITER ? bytes.subarray(units.end) : bytes.subarray(start);
}
