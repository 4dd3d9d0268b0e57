/**
 * The header extension transmission time offset: how much later than its timestamp says the packet left.
 *
 *   ┌ offset, 24, signed, in units of the RTP timestamp ┐
 *
 * Source: RFC 5450.
 */
import type { Bytes } from "../../base/units.ts";

export const TRANSMISSION_OFFSET_URI = "urn:ietf:params:rtp-hdrext:toffset";
export const TRANSMISSION_OFFSET_BYTES: Bytes = 3;
const OFFSET_MAX = 0x7fffff;

/** The value at `at`, which must have TRANSMISSION_OFFSET_BYTES. */
export function readTransmissionOffset(view: DataView, at: number): number {
  return (view.getInt16(at) << 8) | view.getUint8(at + 2);
}

/** What does not fit is held at the end of the range. */
export function writeTransmissionOffset(view: DataView, at: number, offset: number): void {
  const held = Math.min(Math.max(offset, -OFFSET_MAX - 1), OFFSET_MAX);
  view.setInt16(at, held >> 8);
  view.setUint8(at + 2, held);
}
