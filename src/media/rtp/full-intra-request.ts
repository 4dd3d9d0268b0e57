/**
 * Full intra request (FIR): a command to send a keyframe as soon as possible, repeated under the same number until it was followed.
 *
 *   feedback header, PSFB, FMT 4 (rtcp-header.ts), SSRC of media source 0, then FCI, several:
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                              SSRC                             |
 *   |    Seq nr.    |                    reserved                   |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 5104 section 4.3.1.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { FEEDBACK_HEADER_BYTES, PSFB, putFeedbackHeader } from "./rtcp-header.ts";

export const FMT_FIR = 4;
const FCI_BYTES: Bytes = 8;

/** `read`, then `next` until it answers false. */
export class FullIntraRequest {
  senderSsrc = 0;
  /** Of whom a keyframe is asked, and the number of the command, 0…255. */
  ssrc = 0;
  commandSequence = 0;
  #at = 0;
  #end = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === PSFB && rtcp.count === FMT_FIR, "not a full intra request");
    const fci = rtcp.end - rtcp.start - FEEDBACK_HEADER_BYTES;
    if (fci < FCI_BYTES || fci % FCI_BYTES !== 0) return rtcp.refuse();
    this.senderSsrc = rtcp.view.getUint32(rtcp.body);
    this.#at = rtcp.start + FEEDBACK_HEADER_BYTES;
    this.#end = rtcp.end;
    return true;
  }

  /** Goes to the next entry; false when there is none. `rtcp` is still at the packet that was read. */
  next(rtcp: RtcpCompound): boolean {
    if (this.#at >= this.#end) return false;
    this.ssrc = rtcp.view.getUint32(this.#at);
    this.commandSequence = rtcp.bytes[this.#at + 4]!;
    this.#at += FCI_BYTES;
    return true;
  }
}

/** Writes a request to one source; `commandSequence` 0…255. Answers the length written, 0 when it would pass `limit`. */
export function putFullIntraRequest(
  view: DataView,
  at: number,
  limit: number,
  senderSsrc: number,
  ssrc: number,
  commandSequence: number,
): Bytes {
  const bytes = FEEDBACK_HEADER_BYTES + FCI_BYTES;
  if (bytes > limit - at) return 0;
  putFeedbackHeader(view, at, FMT_FIR, PSFB, bytes, senderSsrc, 0);
  view.setUint32(at + FEEDBACK_HEADER_BYTES, ssrc);
  view.setUint32(at + FEEDBACK_HEADER_BYTES + 4, (commandSequence & 0xff) << 24);
  return bytes;
}
