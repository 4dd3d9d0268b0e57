/**
 * The header extension abs-send-time: when the packet left, on the sender's clock, as 6.18 fixed point seconds that wrap every 64 s.
 *
 *   ┌ seconds, 6 ┬ fraction, 18 ────────────┐   value of 3 bytes
 *
 * Only differences count, so any steady clock will do. Times are unwrapped by a SequenceUnwrapper of ABS_SEND_TIME_BITS.
 *
 * Source: the page of its URI; reference gcc.md section I.
 */
import type { Bytes, Millis } from "../../base/units.ts";

export const ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
export const ABS_SEND_TIME_BYTES: Bytes = 3;
export const ABS_SEND_TIME_BITS = 24;
const TICKS_PER_MILLI = 262.144;
const WRAP = 0x1000000;

/** The 24 bits on the wire, rounded to the nearest, for a time of 0 or more. */
export function absSendTimeOf(now: Millis): number {
  return Math.round(now * TICKS_PER_MILLI) % WRAP;
}

export function millisOfAbsSendTime(unwrapped: number): Millis {
  return unwrapped / TICKS_PER_MILLI;
}

/** The value at `at`, which must have ABS_SEND_TIME_BYTES. */
export function readAbsSendTime(view: DataView, at: number): number {
  return (view.getUint16(at) << 8) | view.getUint8(at + 2);
}

export function writeAbsSendTime(view: DataView, at: number, value: number): void {
  view.setUint16(at, value >>> 8);
  view.setUint8(at + 2, value);
}
