/**
 * Tells the sender when its packets arrived, in the way that was negotiated: the receiver's half of congestion control.
 *
 *   each packet ─▶ arrived ─▶ advance(now) ─▶ write … until it answers 0
 *
 *   transport-cc   gcc/feedback-generator ─▶ media/rtp/transport-feedback-writer
 *   ccfb           gcc/ccfb-generator ─▶ media/rtp/congestion-feedback-writer
 *   goog-remb      gcc/remb-receiver ─▶ media/rtp/remb
 *   none
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { CongestionFeedbackKind } from "../media/sdp/negotiation.ts";

export interface ArrivalReporter {
  readonly kind: CongestionFeedbackKind;
  /** Reports written. */
  readonly reports: number;
  /** A packet arrived: `size` bytes with all that loaded the path; extension values −1 where it has none. */
  arrived(now: Micros, packet: RtpPacket, size: Bytes, transportSequence: number, absSendTime: number): void;
  /** Our own estimate of the way back, of which reports take a small share. */
  setSendRate(rate: BitsPerSecond): void;
  advance(now: Micros): void;
  deadline(): Micros;
  /** Writes one report to `at`; answers its length, 0 when there is none (left) or no room for it. */
  write(now: Micros, view: DataView, at: number, limit: number, senderSsrc: number): Bytes;
}

/** For peers that want none. */
export const silentReporter: ArrivalReporter = {
  kind: "none",
  reports: 0,
  arrived() {},
  setSendRate() {},
  advance() {},
  deadline: () => Number.POSITIVE_INFINITY,
  write: () => 0,
};
