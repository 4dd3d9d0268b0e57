/**
 * A list of tagged values, little endian, to the end of its message.
 *
 *    0     1        3
 *   ┌─────┬────────┬──────────────┬─────┬────────┬───
 *   │ tag │ length │ length bytes │ tag │ length │ …
 *   └─────┴────────┴──────────────┴─────┴────────┴───
 *
 * A reader skips tags it does not know, so lists can grow. The first of several equal tags counts.
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/units.ts";

const HEAD_BYTES: Bytes = 3;
const VALUE_BYTES_MAX: Bytes = 65_535;
/** More entries than any list of ours has. */
const ENTRIES_MAX = 64;

/** Values by tag, views of `bytes`: borrowed like it. Undefined when bytes[start…end) is no whole list. */
export function readTlvs(bytes: Uint8Array, start: number, end: number): Map<number, Uint8Array> | undefined {
  const values = new Map<number, Uint8Array>();
  let at = start;
  for (let entries = 0; at < end; entries++) {
    if (entries === ENTRIES_MAX || end - at < HEAD_BYTES) return undefined;
    const tag = bytes[at]!;
    const from = at + HEAD_BYTES;
    at = from + (bytes[at + 1]! | (bytes[at + 2]! << 8));
    if (at > end) return undefined;
    if (!values.has(tag)) values.set(tag, bytes.subarray(from, at));
  }
  return values;
}

/** Writes an entry at bytes[at…); answers where the next one goes. A bug when there is no room. */
export function writeTlv(bytes: Uint8Array, at: number, tag: number, value: Uint8Array): number {
  const end = at + HEAD_BYTES + value.length;
  assert(value.length <= VALUE_BYTES_MAX && end <= bytes.length, "no room for the value");
  bytes[at] = tag;
  bytes[at + 1] = value.length;
  bytes[at + 2] = value.length >>> 8;
  bytes.set(value, at + HEAD_BYTES);
  return end;
}
