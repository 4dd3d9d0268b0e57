/**
 * One reception report of a sender or receiver report: how one source is heard.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                       SSRC of the source                      |
 *   | fraction lost |   cumulative number of packets lost (signed)  |
 *   |           extended highest sequence number received           |
 *   |                      interarrival jitter                      |
 *   |                         last SR (LSR)                         |
 *   |                   delay since last SR (DLSR)                  |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 3550 section 6.4.1.
 */
import type { Bytes, Millis } from "../../base/units.ts";
import { millisOfCompact } from "./ntp-time.ts";

export const REPORT_BLOCK_BYTES: Bytes = 24;

/** Read into and written from again and again. */
export class ReportBlock {
  ssrc = 0;
  /** Packets lost since the report before, in 1/256, 0…255. */
  fractionLost = 0;
  /** Since the beginning, −2^23…2^23−1: negative when duplicates outnumber losses. */
  cumulativeLost = 0;
  /** Count of wraps in the upper 16 bits, sequence number in the lower. */
  extendedHighestSequence = 0;
  /** In units of the RTP timestamp. */
  jitter = 0;
  /** Compact NTP of the last sender report, 0 = none heard. */
  lastSenderReport = 0;
  /** In 1/65536 s. */
  delaySinceLastSenderReport = 0;

  read(view: DataView, at: number): void {
    this.ssrc = view.getUint32(at);
    this.fractionLost = view.getUint8(at + 4);
    // Shifting the fraction out leaves the 24 bits with their sign.
    this.cumulativeLost = (view.getInt32(at + 4) << 8) >> 8;
    this.extendedHighestSequence = view.getUint32(at + 8);
    this.jitter = view.getUint32(at + 12);
    this.lastSenderReport = view.getUint32(at + 16);
    this.delaySinceLastSenderReport = view.getUint32(at + 20);
  }

  write(view: DataView, at: number): void {
    view.setUint32(at, this.ssrc);
    view.setUint32(at + 4, (this.fractionLost << 24) | (this.cumulativeLost & 0xffffff));
    view.setUint32(at + 8, this.extendedHighestSequence);
    view.setUint32(at + 12, this.jitter);
    view.setUint32(at + 16, this.lastSenderReport);
    view.setUint32(at + 20, this.delaySinceLastSenderReport);
  }

  /**
   * Time from our sender report to the peer and back to here, when this block arrives at `now` (compact NTP of the clock that stamped the
   * report); −1 when the peer has heard no report yet. A peer whose delay is longer than what passed is taken to be at no distance.
   */
  roundTrip(now: number): Millis {
    if (this.lastSenderReport === 0) return -1;
    const elapsed = (now - this.lastSenderReport - this.delaySinceLastSenderReport) | 0;
    return elapsed <= 0 ? 0 : millisOfCompact(elapsed);
  }
}
