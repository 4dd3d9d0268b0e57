/**
 * Generic NACK: packets that are missing, to be sent again.
 *
 *   feedback header, RTPFB, FMT 1 (rtcp-header.ts), then FCI, several:
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |        packet ID (PID)        |  bitmask of following (BLP)   |    bit i of BLP, from the least: PID + 1 + i is missing too
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 4585 section 6.2.1.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { FEEDBACK_HEADER_BYTES, putFeedbackHeader, RTPFB } from "./rtcp-header.ts";

export const FMT_NACK = 1;
const FCI_BYTES: Bytes = 4;
const BLP_BITS = 16;

/** `read`, then `next` until it answers false. */
export class GenericNack {
  senderSsrc = 0;
  mediaSsrc = 0;
  /** A sequence number that is missing; the same one may come twice. */
  sequenceNumber = 0;
  #pid = 0;
  #blp = 0;
  #at = 0;
  #end = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === RTPFB && rtcp.count === FMT_NACK, "not a generic NACK");
    const fci = rtcp.end - rtcp.start - FEEDBACK_HEADER_BYTES;
    if (fci < FCI_BYTES || fci % FCI_BYTES !== 0) return rtcp.refuse();
    this.senderSsrc = rtcp.view.getUint32(rtcp.body);
    this.mediaSsrc = rtcp.view.getUint32(rtcp.body + 4);
    this.#blp = 0;
    this.#at = rtcp.start + FEEDBACK_HEADER_BYTES;
    this.#end = rtcp.end;
    return true;
  }

  /** Goes to the next missing packet; false when all were told. `rtcp` is still at the packet that was read. */
  next(rtcp: RtcpCompound): boolean {
    if (this.#blp !== 0) {
      const lowest = 31 - Math.clz32(this.#blp & -this.#blp);
      this.#blp &= this.#blp - 1;
      this.sequenceNumber = (this.#pid + 1 + lowest) & 0xffff;
      return true;
    }
    if (this.#at >= this.#end) return false;
    this.#pid = rtcp.view.getUint16(this.#at);
    this.#blp = rtcp.view.getUint16(this.#at + 2);
    this.#at += FCI_BYTES;
    this.sequenceNumber = this.#pid;
    return true;
  }
}

/** Writes a NACK into the caller's buffer: begin, add in ascending order, finish. */
export class GenericNackWriter {
  #view: DataView = nothing;
  #start = 0;
  #at = 0;
  #limit = 0;
  #pid = 0;
  #blp = 0;

  /** There must be room for one entry, 16 bytes, before `limit`. */
  begin(view: DataView, at: number, limit: number, senderSsrc: number, mediaSsrc: number): void {
    assert(limit - at >= FEEDBACK_HEADER_BYTES + FCI_BYTES, "no room for a NACK");
    putFeedbackHeader(view, at, FMT_NACK, RTPFB, FEEDBACK_HEADER_BYTES, senderSsrc, mediaSsrc);
    this.#view = view;
    this.#start = at;
    this.#at = at + FEEDBACK_HEADER_BYTES;
    this.#limit = limit;
  }

  /** Adds a missing sequence number, 0…65535, newer than those before (it may have wrapped); false when there is no room left. */
  add(sequenceNumber: number): boolean {
    const bit = (sequenceNumber - this.#pid - 1) & 0xffff;
    if (this.#at > this.#start + FEEDBACK_HEADER_BYTES && bit < BLP_BITS) {
      this.#blp |= 1 << bit;
      this.#view.setUint16(this.#at - 2, this.#blp);
      return true;
    }
    if (FCI_BYTES > this.#limit - this.#at) return false;
    this.#pid = sequenceNumber;
    this.#blp = 0;
    this.#view.setUint16(this.#at, sequenceNumber);
    this.#view.setUint16(this.#at + 2, 0);
    this.#at += FCI_BYTES;
    return true;
  }

  /** Answers the length of the packet, 0 when nothing was added. */
  finish(): Bytes {
    const bytes = this.#at - this.#start;
    if (bytes === FEEDBACK_HEADER_BYTES) return 0;
    this.#view.setUint16(this.#start + 2, (bytes >>> 2) - 1);
    return bytes;
  }
}

const nothing = new DataView(new ArrayBuffer(0));
