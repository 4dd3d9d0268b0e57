/**
 * Receiver estimated maximum bitrate (REMB): the most that the named sources together may send.
 *
 *   feedback header, PSFB, FMT 15 (rtcp-header.ts), SSRC of media source 0, then
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                     "REMB" in ASCII                           |
 *   |   num SSRC    |    exp    |             mantissa              |    6 and 18 bits: rate = mantissa · 2^exp bit/s
 *   |                       SSRC × num SSRC                         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: draft-alvestrand-rmcat-remb-03. Deviation: rates above 2^53 bit/s, which no number holds exactly, are damage; the reference
 * implementation refuses from 2^64.
 */
import { assert } from "../../base/assert.ts";
import type { BitsPerSecond, Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { FEEDBACK_HEADER_BYTES, PSFB, putFeedbackHeader } from "./rtcp-header.ts";

/** Application layer feedback: of many kinds, told apart by their first four bytes. */
export const FMT_AFB = 15;

const IDENTIFIER = 0x52454d42;
const FIXED_BYTES: Bytes = FEEDBACK_HEADER_BYTES + 8;
const MANTISSA_MAX = 0x3ffff;
const SSRCS_MAX = 255;

export class Remb {
  senderSsrc = 0;
  bitrate: BitsPerSecond = 0;
  /** SSRCs named, 0…255. */
  sources = 0;

  /** Takes the current packet of `rtcp`; false when damaged, and when it is application feedback of another kind. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === PSFB && rtcp.count === FMT_AFB, "not application layer feedback");
    const { view, start } = rtcp;
    const length = rtcp.end - start;
    if (length < FEEDBACK_HEADER_BYTES + 4) return rtcp.refuse();
    if (view.getUint32(start + 12) !== IDENTIFIER) return false;
    if (length < FIXED_BYTES || length !== FIXED_BYTES + 4 * rtcp.bytes[start + 16]!) return rtcp.refuse();
    const packed = view.getUint32(start + 16);
    const bitrate = (packed & MANTISSA_MAX) * 2 ** ((packed >>> 18) & 0x3f);
    if (bitrate > Number.MAX_SAFE_INTEGER) return rtcp.refuse();
    this.senderSsrc = view.getUint32(rtcp.body);
    this.bitrate = bitrate;
    this.sources = packed >>> 24;
    return true;
  }

  /** SSRC `index`, 0…sources−1, of the packet just read. */
  ssrc(rtcp: RtcpCompound, index: number): number {
    return rtcp.view.getUint32(rtcp.start + FIXED_BYTES + index * 4);
  }
}

/**
 * Writes a REMB for the first `count` of `ssrcs`, at most 255. The rate is rounded down to 18 significant bits. Answers the length written, 0
 * when it would pass `limit`.
 */
export function putRemb(
  view: DataView,
  at: number,
  limit: number,
  senderSsrc: number,
  bitrate: BitsPerSecond,
  ssrcs: ArrayLike<number>,
  count: number,
): Bytes {
  assert(bitrate >= 0 && bitrate <= Number.MAX_SAFE_INTEGER && count <= SSRCS_MAX && count <= ssrcs.length, `REMB ${bitrate} for ${count}`);
  const bytes = FIXED_BYTES + 4 * count;
  if (bytes > limit - at) return 0;
  let exponent = 0;
  let mantissa = Math.floor(bitrate);
  while (mantissa > MANTISSA_MAX) {
    mantissa = Math.floor(mantissa / 2);
    exponent++;
  }
  putFeedbackHeader(view, at, FMT_AFB, PSFB, bytes, senderSsrc, 0);
  view.setUint32(at + 12, IDENTIFIER);
  view.setUint32(at + 16, (count << 24) | (exponent << 18) | mantissa);
  for (let i = 0; i < count; i++) view.setUint32(at + FIXED_BYTES + 4 * i, ssrcs[i]!);
  return bytes;
}
