/**
 * `longhaul/gcc`: WebRTC's congestion control: from what became of each packet to a rate that fills the path without filling its queues.
 *
 * ```ts
 * const controller = new NetworkController({ startBitrate: 1_000_000 });
 * controller.advance(now);                                                 // at deadline(), every 25 ms; the first call starts
 * controller.onSentPacket(packet, bytesInFlight);                          // borrowed
 * controller.onFeedback(feedback);                                         // a sorted TransportFeedback; borrowed
 * controller.targetRate;                                                   // bit/s; `updates` counts its changes
 * ```
 *
 *   sender    Pacer · NetworkController · BitrateAllocator · FeedbackAdapter (TWCC) or CcfbAdapter (RFC 8888) make TransportFeedback of messages
 *   receiver  FeedbackGenerator (TWCC) · CcfbGenerator (RFC 8888) · RembReceiver (goog-remb)
 *
 * Times are MICROseconds here, whole numbers; rates bit/s. The wire formats of the messages are in `longhaul/rtp`.
 */
export type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
export {
  type AllocationLimits,
  BitrateAllocator,
  type BitrateObserver,
  type BitrateUpdate,
  type StreamLimits,
} from "./bitrate-allocator.ts";
export { CcfbAdapter, type CcfbAdapterOptions, type CcfbAdapterStats } from "./ccfb-adapter.ts";
export { CcfbGenerator, type CcfbGeneratorOptions, type CcfbGeneratorStats, CcfbReport } from "./ccfb-generator.ts";
export type { CongestionWindowOptions } from "./congestion-window.ts";
export { ControlHandler } from "./control-handler.ts";
export { type Extensions, LIBWEBRTC } from "./delay-control.ts";
export { FeedbackAdapter, type FeedbackAdapterStats } from "./feedback-adapter.ts";
export { ArrivalReport, FeedbackGenerator, type FeedbackGeneratorOptions } from "./feedback-generator.ts";
export { FrameDropper } from "./frame-dropper.ts";
export * as gcc from "./index.ts";
export { NetworkController, type NetworkControllerOptions, type StreamsConfig } from "./network-controller.ts";
export type { NetworkEstimate, NetworkEstimateProbing } from "./network-estimate.ts";
export { NOTHING, Pacer, type PacerCounters, type PacerOptions, SEND_PADDING } from "./pacer.ts";
export { AUDIO, PADDING, RETRANSMISSION, VIDEO } from "./pacer-queue.ts";
export {
  type BandwidthUsage,
  LOST,
  type NetworkState,
  NOT_A_PROBE,
  type PacketResult,
  type ProbeCluster,
  type SentPacket,
  TransportFeedback,
} from "./packet-result.ts";
export type { LimitedBy } from "./probe-controller.ts";
export { RembEstimator, type RembEstimatorOptions, type RembEstimatorStats } from "./remb-estimator.ts";
export { NO_SEND_TIME, RembReceiver } from "./remb-receiver.ts";
export { SingleStreamEstimator } from "./remb-single-stream.ts";
export type { RttBackoffOptions } from "./rtt-backoff.ts";
export { SendHistory, type SendHistoryOptions, type SendHistoryStats } from "./send-history.ts";
