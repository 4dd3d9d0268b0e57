/**
 * The header extension transport-wide sequence number: one counter for all packets of a transport, which transport feedback tells of.
 *
 *   version 01    ┌ sequence number, 16 ┐
 *   version 02    ┌ sequence number, 16 ┬ T ┬ sequence count, 15 ┐     four bytes, or the first two alone
 *                                       asks for feedback on the last `count` packets, this one included; T: with times
 *
 * With version 02 the receiver reports only when asked, and no longer by itself.
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2; reference gcc.md section I.
 */
import type { Bytes } from "../../base/units.ts";

export const TRANSPORT_SEQUENCE_NUMBER_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
export const TRANSPORT_SEQUENCE_NUMBER_V2_URI = "http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02";
export const TRANSPORT_SEQUENCE_NUMBER_BYTES: Bytes = 2;
export const FEEDBACK_REQUEST_BYTES: Bytes = 4;
const TIMED = 0x8000;

/** The value at `at`, which must have 2 bytes or more; of both versions. */
export function readTransportSequenceNumber(view: DataView, at: number): number {
  return view.getUint16(at);
}

/** The wrapped number is the lower 16 bits of `sequence`. */
export function writeTransportSequenceNumber(view: DataView, at: number, sequence: number): void {
  view.setUint16(at, sequence);
}

/** Packets on which feedback is asked, 0 = none; the value must have 4 bytes. */
export function requestedCount(view: DataView, at: number): number {
  return view.getUint16(at + 2) & ~TIMED;
}

/** Whether the feedback that is asked shall have times. */
export function requestedTimes(view: DataView, at: number): boolean {
  return (view.getUint16(at + 2) & TIMED) !== 0;
}

/** Writes the request behind the sequence number; `count` 0…32,767. */
export function writeFeedbackRequest(view: DataView, at: number, count: number, timed: boolean): void {
  view.setUint16(at + 2, count | (timed ? TIMED : 0));
}
