/**
 * Picture loss indication (PLI): the decoder needs a keyframe.
 *
 *   feedback header, PSFB, FMT 1 (rtcp-header.ts), and nothing behind it
 *
 * Source: RFC 4585 section 6.3.1.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { FEEDBACK_HEADER_BYTES, PSFB, putFeedbackHeader } from "./rtcp-header.ts";

export const FMT_PLI = 1;

export class PictureLoss {
  senderSsrc = 0;
  mediaSsrc = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === PSFB && rtcp.count === FMT_PLI, "not a picture loss indication");
    if (rtcp.end - rtcp.start < FEEDBACK_HEADER_BYTES) return rtcp.refuse();
    this.senderSsrc = rtcp.view.getUint32(rtcp.body);
    this.mediaSsrc = rtcp.view.getUint32(rtcp.body + 4);
    return true;
  }
}

/** Answers the length written, 0 when it would pass `limit`. */
export function putPictureLoss(view: DataView, at: number, limit: number, senderSsrc: number, mediaSsrc: number): Bytes {
  if (FEEDBACK_HEADER_BYTES > limit - at) return 0;
  putFeedbackHeader(view, at, FMT_PLI, PSFB, FEEDBACK_HEADER_BYTES, senderSsrc, mediaSsrc);
  return FEEDBACK_HEADER_BYTES;
}
