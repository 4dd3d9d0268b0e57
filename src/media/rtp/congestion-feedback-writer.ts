/**
 * Writes congestion control feedback (congestion-feedback.ts) into the caller's buffer as it goes.
 *
 *   begin ─▶ stream ─▶ received | lost … ─▶ stream ─▶ … ─▶ finish(report timestamp)
 *            └─ false: no room for more; finish, and begin the next packet
 *
 * Source: RFC 8888 section 3.1.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import {
  CCFB_HEADER_BYTES,
  type Ecn,
  FMT_CONGESTION_FEEDBACK,
  packReport,
  REPORTS_MAX,
  RTS_BYTES,
  reportBytes,
  STREAM_BLOCK_BYTES,
} from "./congestion-feedback.ts";
import { putRtcpHeader, RTCP_BYTES_MAX, RTPFB } from "./rtcp-header.ts";

export class CongestionFeedbackWriter {
  /** Streams and reports refused because the packet was full. */
  full = 0;
  #view: DataView = nothing;
  #start = 0;
  #limit = 0;
  /** Header of the stream being told of, and its reports so far; at the packet's own header when there is none. */
  #block = 0;
  #reports = 0;

  /** There must be room for an empty packet, 12 bytes, before `limit`. */
  begin(view: DataView, at: number, limit: number, senderSsrc: number): void {
    assert(limit - at >= CCFB_HEADER_BYTES + RTS_BYTES, "no room for congestion control feedback");
    this.#view = view;
    this.#start = at;
    this.#limit = Math.min(limit, at + RTCP_BYTES_MAX);
    this.#block = 0;
    this.#reports = 0;
    view.setUint32(at + 4, senderSsrc);
  }

  /** Begins the reports of a stream with its packet `beginSequence` (the lower 16 bits count); false when there is no room for one. */
  stream(ssrc: number, beginSequence: number): boolean {
    const at = this.#end;
    if (STREAM_BLOCK_BYTES + reportBytes(1) + RTS_BYTES > this.#limit - at) {
      this.full++;
      return false;
    }
    this.#closeStream();
    this.#block = at;
    this.#reports = 0;
    this.#view.setUint32(at, ssrc);
    this.#view.setUint16(at + 4, beginSequence);
    return true;
  }

  /** Tells that the stream's next packet came; `arrivalOffset` as `arrivalOffsetOf` answers it. False when there is no room. */
  received(ecn: Ecn, arrivalOffset: number): boolean {
    return this.#add(packReport(ecn, arrivalOffset));
  }

  /** Tells that the stream's next packet did not come. False when there is no room. */
  lost(): boolean {
    return this.#add(0);
  }

  /** Ends the packet; `reportTimestamp` is compact NTP. Answers its length. */
  finish(reportTimestamp: number): Bytes {
    const end = this.#end;
    this.#closeStream();
    this.#view.setUint32(end, reportTimestamp);
    const bytes = end + RTS_BYTES - this.#start;
    putRtcpHeader(this.#view, this.#start, FMT_CONGESTION_FEEDBACK, RTPFB, bytes);
    return bytes;
  }

  /** Where the next block, or the report timestamp, goes. */
  get #end(): number {
    if (this.#block === 0) return this.#start + CCFB_HEADER_BYTES;
    return this.#block + STREAM_BLOCK_BYTES + reportBytes(this.#reports);
  }

  #add(report: number): boolean {
    assert(this.#block !== 0, "a report without its stream");
    const reports = this.#block + STREAM_BLOCK_BYTES;
    if (this.#reports === REPORTS_MAX || reports + reportBytes(this.#reports + 1) + RTS_BYTES > this.#limit) {
      this.full++;
      return false;
    }
    this.#view.setUint16(reports + this.#reports * 2, report);
    this.#reports++;
    return true;
  }

  #closeStream(): void {
    if (this.#block === 0) return;
    if ((this.#reports & 1) === 1) this.#view.setUint16(this.#block + STREAM_BLOCK_BYTES + this.#reports * 2, 0);
    this.#view.setUint16(this.#block + 6, this.#reports);
  }
}

const nothing = new DataView(new ArrayBuffer(0));
