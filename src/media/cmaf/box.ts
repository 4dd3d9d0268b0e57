/**
 * Boxes of the ISO base media file format: a length, a four-character type, then fields and further boxes (ISO/IEC 14496-12 section 4.2).
 *
 *   0               4               8
 *   +---------------+---------------+---------------------+
 *   | size (BE)     | type          | fields, boxes …     |     size counts the whole box
 *   +---------------+---------------+---------------------+
 *   full box: after the type one byte of version and three of flags
 *
 * A box is opened, filled and closed; closing writes the size over the room left for it.
 */
import type { Writer } from "../../base/cursor.ts";

/** Opens a box; the answer is for `closeBox`. */
export function openBox(into: Writer, type: string): number {
  const at = into.length;
  into.u32(0).ascii(type);
  return at;
}

/** Opens a box that starts with version and flags. */
export function openFullBox(into: Writer, type: string, version: number, flags: number): number {
  const at = openBox(into, type);
  into.u8(version).u24(flags);
  return at;
}

export function closeBox(into: Writer, at: number): void {
  into.patch32(at, into.length - at);
}
