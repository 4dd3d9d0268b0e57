/**
 * The head of every RTCP packet, and the longer one of feedback messages.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P| RC/FMT  |  packet type  |   length in words, minus one  |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                     SSRC of packet sender                     |  feedback only
 *   |                      SSRC of media source                     |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 3550 section 6.4.1, RFC 4585 section 6.1; RFC 5761 section 4 for telling RTCP from RTP.
 */
import type { Bytes } from "../../base/units.ts";

// Spec
export const RTCP_HEADER_BYTES: Bytes = 4;
/** With the two SSRCs. */
export const FEEDBACK_HEADER_BYTES: Bytes = 12;
/** RC and FMT are five bits. */
export const COUNT_MAX = 31;
/** What the length field can say. */
export const RTCP_BYTES_MAX: Bytes = 262_144;
export const PADDING_BYTES_MAX: Bytes = 252;

/** Packet types. */
export const SR = 200;
export const RR = 201;
export const SDES = 202;
export const BYE = 203;
export const RTPFB = 205;
export const PSFB = 206;

const VERSION = 0x80;
const PADDING = 0x20;

/** Whether a datagram on a port shared by both is RTCP (else RTP); its first two bits must have said version 2 already. */
export function isRtcp(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < RTCP_HEADER_BYTES) return false;
  const packetType = bytes[start + 1]!;
  return packetType >= 192 && packetType <= 223;
}

/** Writes the head of a packet that is `bytes` long, head included: a multiple of 4, at most RTCP_BYTES_MAX. */
export function putRtcpHeader(view: DataView, at: number, count: number, packetType: number, bytes: Bytes): void {
  view.setUint8(at, VERSION | count);
  view.setUint8(at + 1, packetType);
  view.setUint16(at + 2, (bytes >>> 2) - 1);
}

/** Writes the head of a feedback message (`packetType` RTPFB or PSFB) that is `bytes` long, head included. */
export function putFeedbackHeader(
  view: DataView,
  at: number,
  fmt: number,
  packetType: number,
  bytes: Bytes,
  senderSsrc: number,
  mediaSsrc: number,
): void {
  putRtcpHeader(view, at, fmt, packetType, bytes);
  view.setUint32(at + 4, senderSsrc);
  view.setUint32(at + 8, mediaSsrc);
}

/**
 * Appends padding to the packet that begins at `at` and ends at `end`, for ciphers that want whole blocks: `padding` is a multiple of 4,
 * 4…252, and only the last packet of a compound may have it. Answers the new end.
 */
export function padRtcp(view: DataView, at: number, end: number, padding: Bytes): number {
  for (let i = end; i < end + padding; i++) view.setUint8(i, 0);
  view.setUint8(end + padding - 1, padding);
  markPadding(view, at);
  view.setUint16(at + 2, ((end + padding - at) >>> 2) - 1);
  return end + padding;
}

/** Sets P: the packet's last byte says how many bytes are padding. */
export function markPadding(view: DataView, at: number): void {
  view.setUint8(at, view.getUint8(at) | PADDING);
}

export function hasPadding(firstByte: number): boolean {
  return (firstByte & PADDING) !== 0;
}
