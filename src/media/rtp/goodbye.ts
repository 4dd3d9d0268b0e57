/**
 * Goodbye (BYE): sources that end.
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|    SC   |   PT = 203    |             length            |
 *   |                          SSRC × SC                            |
 *   |     length    |          reason (UTF-8), padded with zeros    |  optional
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 3550 section 6.6.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { BYE, COUNT_MAX, putRtcpHeader, RTCP_HEADER_BYTES } from "./rtcp-header.ts";

const REASON_BYTES_MAX: Bytes = 255;

export class Goodbye {
  /** SSRCs read, 0…31. */
  sources = 0;
  /** The reason is bytes[reasonStart…reasonEnd) of the datagram; empty when none was given. */
  reasonStart = 0;
  reasonEnd = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === BYE, "not a goodbye");
    const reason = rtcp.body + rtcp.count * 4;
    if (reason > rtcp.end) return rtcp.refuse();
    const length = reason < rtcp.end ? rtcp.bytes[reason]! : -1;
    if (reason + 1 + length > rtcp.end) return rtcp.refuse();
    this.sources = rtcp.count;
    this.reasonStart = Math.min(reason + 1, rtcp.end);
    this.reasonEnd = this.reasonStart + Math.max(length, 0);
    return true;
  }

  /** SSRC `index`, 0…sources−1, of the packet just read. */
  ssrc(rtcp: RtcpCompound, index: number): number {
    return rtcp.view.getUint32(rtcp.body + index * 4);
  }
}

/** Writes a goodbye of `ssrcs`, at most 31, with a reason of 0…255 bytes; answers its length, 0 when it would pass `limit`. */
export function putGoodbye(view: DataView, at: number, limit: number, ssrcs: readonly number[], reason: Uint8Array): Bytes {
  assert(ssrcs.length <= COUNT_MAX && reason.length <= REASON_BYTES_MAX, `goodbye of ${ssrcs.length} sources`);
  const text = RTCP_HEADER_BYTES + ssrcs.length * 4;
  const bytes = text + (reason.length === 0 ? 0 : (reason.length + 4) & ~3);
  if (bytes > limit - at) return 0;
  putRtcpHeader(view, at, ssrcs.length, BYE, bytes);
  for (let i = 0; i < ssrcs.length; i++) view.setUint32(at + RTCP_HEADER_BYTES + i * 4, ssrcs[i]!);
  if (reason.length === 0) return bytes;
  view.setUint8(at + text, reason.length);
  for (let i = 0; text + 1 + i < bytes; i++) view.setUint8(at + text + 1 + i, reason[i] ?? 0);
  return bytes;
}
