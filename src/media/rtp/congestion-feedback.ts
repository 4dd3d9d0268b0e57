/**
 * RTCP congestion control feedback (CCFB): when each packet of several streams arrived, and how the network marked it.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P| FMT=11  |   PT = 205    |             length            |
 *   |                     SSRC of packet sender                     |
 *   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+  block, one a stream
 *   |                       SSRC of the stream                      |
 *   |           begin_seq           |          num_reports          |
 *   |R|ECN|   arrival time offset   |R|ECN|   arrival time offset   |  zeros after an odd count
 *   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *   |                report timestamp (RTS), compact NTP            |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 *   arrival = RTS − offset / 1024 s
 *
 * num_reports is the count of reports (erratum 8166). The RFC's first wording made it one less, and peers that still follow that wording are
 * misread here: nothing on the wire tells them apart.
 *
 * Source: RFC 8888 section 3.1; reference gcc.md section I.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { RTPFB } from "./rtcp-header.ts";

// Spec
export const FMT_CONGESTION_FEEDBACK = 11;
/** num_reports of one block. */
export const REPORTS_MAX = 16_384;
/** Longest offset that is told as it is, in 1/1024 s: almost 8 s. */
export const OFFSET_MAX = 0x1ffd;
/** The packet came longer ago. */
export const OFFSET_OVER_RANGE = 0x1ffe;
/** The packet came at an unknown time, or after the report timestamp. */
export const OFFSET_UNAVAILABLE = 0x1fff;
/** Sender SSRC behind the common head, and block headers. */
export const CCFB_HEADER_BYTES: Bytes = 8;
export const STREAM_BLOCK_BYTES: Bytes = 8;
export const RTS_BYTES: Bytes = 4;

/** ECN bits as in the IP header (RFC 3168). */
export const NOT_ECT = 0;
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;
export type Ecn = typeof NOT_ECT | typeof ECT_1 | typeof ECT_0 | typeof CE;

const RECEIVED = 0x8000;

/** `read`, then `next` until it answers false. */
export class CongestionFeedback {
  senderSsrc = 0;
  /** RTS, compact NTP of the receiver's clock. */
  reportTimestamp = 0;
  /** The packet: its stream and sequence number, 0…65535. */
  ssrc = 0;
  sequenceNumber = 0;
  received = false;
  /** Both 0 when it was not received. */
  ecn: Ecn = NOT_ECT;
  /** In 1/1024 s before the report timestamp, 0…OFFSET_MAX, or OFFSET_OVER_RANGE or OFFSET_UNAVAILABLE. */
  arrivalOffset = 0;
  #at = 0;
  #reportsLeft = 0;
  #blocksEnd = 0;

  /** Takes the current packet of `rtcp`; false when damaged: then nothing of it was used. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === RTPFB && rtcp.count === FMT_CONGESTION_FEEDBACK, "not congestion control feedback");
    const { view, start, end } = rtcp;
    this.#reportsLeft = 0;
    this.#at = 0;
    this.#blocksEnd = 0;
    if (end - start < CCFB_HEADER_BYTES + RTS_BYTES) return rtcp.refuse();
    const blocksEnd = end - RTS_BYTES;
    let at = start + CCFB_HEADER_BYTES;
    while (at < blocksEnd) {
      if (STREAM_BLOCK_BYTES > blocksEnd - at) return rtcp.refuse();
      const reports = view.getUint16(at + 6);
      if (reports > REPORTS_MAX) return rtcp.refuse();
      at += STREAM_BLOCK_BYTES + reportBytes(reports);
    }
    if (at !== blocksEnd) return rtcp.refuse();
    this.senderSsrc = view.getUint32(start + 4);
    this.reportTimestamp = view.getUint32(blocksEnd);
    this.#at = start + CCFB_HEADER_BYTES;
    this.#blocksEnd = blocksEnd;
    return true;
  }

  /** Goes to the next packet; false when all were told. `rtcp` is still at the report that was read. */
  next(rtcp: RtcpCompound): boolean {
    const { view } = rtcp;
    while (this.#reportsLeft === 0) {
      if (this.#at >= this.#blocksEnd) return false;
      this.ssrc = view.getUint32(this.#at);
      this.sequenceNumber = (view.getUint16(this.#at + 4) - 1) & 0xffff;
      this.#reportsLeft = view.getUint16(this.#at + 6);
      this.#at += STREAM_BLOCK_BYTES;
    }
    const report = view.getUint16(this.#at);
    this.#at += 2;
    if (--this.#reportsLeft === 0) this.#at = rtcp.start + ((this.#at - rtcp.start + 3) & ~3);
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.received = report >= RECEIVED;
    this.ecn = this.received ? (((report >>> 13) & 3) as Ecn) : NOT_ECT;
    this.arrivalOffset = this.received ? report & OFFSET_UNAVAILABLE : 0;
    return true;
  }
}

/** Bytes that so many reports take in a block, the filling of the last word included. */
export function reportBytes(reports: number): Bytes {
  return (reports * 2 + 3) & ~3;
}

/** One packet's report on the wire. */
export function packReport(ecn: Ecn, arrivalOffset: number): number {
  return RECEIVED | (ecn << 13) | arrivalOffset;
}

/** Offset of an arrival to the report timestamp, both on one clock (fractions matter), in its units and range. */
export function arrivalOffsetOf(report: Millis, arrival: Millis): number {
  const offset = Math.round((report - arrival) * 1.024);
  if (offset < 0) return OFFSET_UNAVAILABLE;
  return offset > OFFSET_MAX ? OFFSET_OVER_RANGE : offset;
}
