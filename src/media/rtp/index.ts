/**
 * `longhaul/rtp`: RTP and RTCP packets, read and written in place, and the header extensions and feedback messages of WebRTC.
 *
 * ```ts
 * const packet = new RtpPacket();                                          // one for ever: `read` and `write` reuse it
 * if (packet.read(view, 0, bytes.length)) take(bytes.subarray(packet.payloadStart, packet.payloadEnd));
 *
 * const rtcp = new RtcpCompound();
 * const report = new SenderReport();
 * rtcp.open(bytes, view, 0, bytes.length);                                 // borrowed until the next `open`
 * while (rtcp.next()) if (rtcp.packetType === SR && report.read(rtcp)) take(report);
 * ```
 *
 * Every class is a reader, a writer or both of one packet; `view` is over the same bytes as `bytes`. What is damaged is answered with false and counted.
 * Congestion control that makes and uses the feedback is in `longhaul/gcc`.
 */

export * from "../../base/sequence-unwrapper.ts";
export type { Bytes, Micros, Millis } from "../../base/units.ts";
export * from "./abs-send-time.ts";
export * from "./audio-level.ts";
export * from "./congestion-feedback.ts";
export { CongestionFeedbackWriter } from "./congestion-feedback-writer.ts";
export * from "./full-intra-request.ts";
export * from "./generic-nack.ts";
export * from "./goodbye.ts";
export * from "./header-extension.ts";
export * as rtp from "./index.ts";
export * from "./ntp-time.ts";
export * from "./picture-loss.ts";
export * from "./receiver-report.ts";
export * from "./reception-statistics.ts";
export * from "./remb.ts";
export { REPORT_BLOCK_BYTES, ReportBlock } from "./report-block.ts";
export { RtcpCompound, type RtcpOptions, type RtcpStats } from "./rtcp-compound.ts";
export { BYE, isRtcp, PSFB, RR, RTPFB, SDES, SR } from "./rtcp-header.ts";
export { padRtp, RTP_HEADER_BYTES, RTP_PADDING_BYTES_MAX, RtpPacket, type RtpPacketStats } from "./rtp-packet.ts";
export * from "./sender-report.ts";
export * from "./source-description.ts";
export * from "./stream-identification.ts";
export * from "./transmission-offset.ts";
export {
  TransportFeedback,
  type TransportFeedbackReaderOptions,
  type TransportFeedbackReaderStats,
} from "./transport-feedback.ts";
export { type TransportFeedbackOptions, type TransportFeedbackStats, TransportFeedbackWriter } from "./transport-feedback-writer.ts";
export * from "./transport-sequence-number.ts";
export * from "./video-orientation.ts";
