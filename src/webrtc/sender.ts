/**
 * Everything that is sent on one transport, at the pace its congestion control allows.
 *
 *   encoder ─ payloads ─▶ OutboundStream ─▶ Pacer ─▶ transmit ─▶ wire          NACK ─▶ the same pacer, before new video
 *      ▲                                      ▲  └▶ FeedbackAdapter's history
 *      └─ BitrateAllocator ◀─ ControlHandler ◀─ NetworkController ◀─ transport feedback, CCFB, receiver reports, REMB
 *
 * The parts are gcc/'s and are put together as in reference/gcc.md A.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { BitrateAllocator, type BitrateUpdate, type StreamLimits } from "../gcc/bitrate-allocator.ts";
import { CcfbAdapter } from "../gcc/ccfb-adapter.ts";
import { ControlHandler } from "../gcc/control-handler.ts";
import { FeedbackAdapter } from "../gcc/feedback-adapter.ts";
import { NetworkController, type NetworkControllerOptions } from "../gcc/network-controller.ts";
import { NOTHING, Pacer, type PacerOptions, SEND_PADDING } from "../gcc/pacer.ts";
import { AUDIO, RETRANSMISSION, VIDEO } from "../gcc/pacer-queue.ts";
import { LOST, NOT_A_PROBE, type SentPacket } from "../gcc/packet-result.ts";
import { type CongestionFeedback, OFFSET_OVER_RANGE } from "../media/rtp/congestion-feedback.ts";
import type { GenericNack } from "../media/rtp/generic-nack.ts";
import type { ReportBlock } from "../media/rtp/report-block.ts";
import type { RtcpCompound } from "../media/rtp/rtcp-compound.ts";
import type { TransportFeedback } from "../media/rtp/transport-feedback.ts";
import type { CongestionFeedbackKind } from "../media/sdp/negotiation.ts";
import { type Encoder, type OutboundOptions, OutboundStream, PAYLOAD_MAX } from "./outbound-stream.ts";
import { ReportedLoss } from "./reported-loss.ts";

const STREAMS_MAX = 64;
/** A packet's number in the pacer: stream, whether it is sent again, slot. */
const STREAM_SHIFT = 16;
const AGAIN = 1 << 15;
const SLOT = AGAIN - 1;
/** A packet asked for twice within a round trip was asked for once. */
const RESEND_INTERVAL_MIN: Micros = 5000;
const HEADER_BYTES: Bytes = 20;

export interface SenderOptions extends NetworkControllerOptions {
  /** What the peer tells of our packets. */
  readonly congestionFeedback: CongestionFeedbackKind;
  /** What the layers below add to each packet. */
  readonly overheadBytes: Bytes;
  readonly pacer?: PacerOptions;
}

export class Sender {
  readonly controller: NetworkController;
  readonly pacer: Pacer;
  readonly adapter = new FeedbackAdapter();
  readonly streams: OutboundStream[] = [];
  readonly #options: SenderOptions;
  readonly #allocator = new BitrateAllocator(STREAMS_MAX);
  readonly #handler = new ControlHandler();
  readonly #ccfb = new CcfbAdapter(this.adapter);
  readonly #loss = new ReportedLoss();
  readonly #sent: SentPacket = { sequence: 0, sendTime: 0, size: 0, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
  /** The peer tells when each packet arrived. */
  readonly #tracked: boolean;
  #transportSequence = 1;
  #updates = -1;
  /** Stream whose turn it is to pad. */
  #padder = 0;
  #up = false;
  #roundTrip: Micros = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.controller = new NetworkController(options);
    this.pacer = new Pacer({ streamsMax: STREAMS_MAX, ...options.pacer });
    this.#tracked = options.congestionFeedback === "transport-cc" || options.congestionFeedback === "ccfb";
  }

  /** Adds a stream, whose limits are rates of media; undefined when there are too many. */
  add(now: Micros, options: OutboundOptions, limits: StreamLimits, encoder: Encoder): OutboundStream | undefined {
    const stream = new OutboundStream(options, encoder);
    const ratio = this.#mediaShare;
    const observer = {
      onBitrate: ({ target, windowReduction }: BitrateUpdate): BitsPerSecond => {
        encoder.onBitrate(Math.min(target * ratio, limits.max), windowReduction);
        return 0;
      },
    };
    if (!this.#allocator.set(observer, { ...limits, min: limits.min / ratio, max: limits.max / ratio })) return undefined;
    this.streams.push(stream);
    this.controller.setStreams(now, this.#allocator.limits);
    return stream;
  }

  /** The transport is up, or gone. */
  setNetwork(now: Micros, up: boolean): void {
    this.#up = up;
    this.#handler.setNetworkUp(up);
    this.controller.onNetworkAvailability(now, up);
  }

  /**
   * Queues a payload, which is copied: payload[start…end), at most PAYLOAD_MAX bytes. `keyFrameStart`: the first packet of a key frame; what waits of
   * the stream is of no use any more. False when there is no room: the picture is broken.
   */
  send(
    now: Micros,
    stream: OutboundStream,
    payload: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    marker: boolean,
    keyFrameStart = false,
  ): boolean {
    const index = this.streams.indexOf(stream);
    const slot = stream.put(now, payload, start, end, timestamp, marker);
    if (slot < 0) return false;
    const level = stream.audio ? AUDIO : VIDEO;
    const size = stream.size(slot, false) + this.#options.overheadBytes;
    const queued = this.pacer.enqueue(now, (index << STREAM_SHIFT) | slot, index, level, size, keyFrameStart);
    if (!queued) stream.store.drop(slot);
    for (let dropped = this.pacer.takeDropped(); dropped >= 0; dropped = this.pacer.takeDropped()) this.#drop(dropped);
    return queued;
  }

  advance(now: Micros): void {
    this.controller.advance(now, this.pacer.queueBytes);
    this.#apply(now);
  }

  deadline(now: Micros): Micros {
    const pacer = this.#up ? this.pacer.deadline(now) : Number.POSITIVE_INFINITY;
    return Math.min(this.controller.deadline(), pacer);
  }

  /** Writes the packet that may leave now to 0 of `view`, 1500 bytes of room; answers its length, 0 when there is none. */
  transmit(now: Micros, view: DataView): Bytes {
    if (!this.#up) return 0;
    for (;;) {
      const packet = this.pacer.next(now);
      if (packet === NOTHING) return 0;
      const cluster = this.pacer.probeCluster;
      if (packet !== SEND_PADDING) return this.#write(now, packet, cluster, view);
      const length = this.#writePadding(now, cluster, view);
      this.pacer.onPaddingSent(now, length === 0 ? 0 : length + this.#options.overheadBytes);
      if (length > 0) return length;
    }
  }

  /** The peer reports how it hears us: all blocks of one report, then `reported`. */
  onReportBlock(now: Micros, block: ReportBlock, compactNow: number): void {
    this.#loss.add(block);
    const roundTrip = block.roundTrip(compactNow) * 1000;
    if (roundTrip > 0) {
      this.#roundTrip = roundTrip;
      this.controller.onRoundTripTime(roundTrip);
      this.#apply(now);
    }
  }

  onReported(now: Micros): void {
    const { lost, expected } = this.#loss;
    this.#loss.clear();
    if (expected > 0) this.controller.onReceiverReport(now, lost, expected);
    this.#apply(now);
  }

  get roundTrip(): Micros {
    return this.#roundTrip;
  }

  onTransportFeedback(now: Micros, rtcp: RtcpCompound, feedback: TransportFeedback): void {
    if (!feedback.timed) return;
    const { adapter } = this;
    adapter.begin(now);
    while (feedback.next(rtcp)) adapter.add(feedback.sequence & 0xffff, feedback.received ? feedback.arrival : LOST);
    if (adapter.end()) this.controller.onFeedback(adapter.feedback);
    this.#apply(now);
  }

  onCongestionFeedback(now: Micros, rtcp: RtcpCompound, feedback: CongestionFeedback): void {
    const ccfb = this.#ccfb;
    ccfb.begin(now, feedback.reportTimestamp);
    while (feedback.next(rtcp)) {
      const { ssrc, sequenceNumber, arrivalOffset } = feedback;
      if (!feedback.received) ccfb.lost(ssrc, sequenceNumber);
      else
        ccfb.received(ssrc, sequenceNumber, arrivalOffset >= OFFSET_OVER_RANGE ? Number.POSITIVE_INFINITY : (arrivalOffset * 1e6) / 1024);
    }
    if (ccfb.end()) this.controller.onFeedback(this.adapter.feedback);
    this.#apply(now);
  }

  onRemb(now: Micros, bitrate: BitsPerSecond): void {
    this.controller.onRemb(bitrate);
    this.#apply(now);
  }

  onNack(now: Micros, rtcp: RtcpCompound, nack: GenericNack): void {
    const index = this.streams.findIndex(({ ssrc }) => ssrc === nack.mediaSsrc);
    const stream = this.streams[index];
    if (stream === undefined) return;
    const { store, stats } = stream;
    while (nack.next(rtcp)) {
      stats.nacks++;
      const slot = store.find(nack.sequenceNumber);
      if (slot < 0) {
        stats.nacksTooLate++;
        continue;
      }
      if (store.resending[slot] === 1 || now - store.sentAt[slot]! < Math.max(this.#roundTrip, RESEND_INTERVAL_MIN)) continue;
      const size = stream.size(slot, true) + this.#options.overheadBytes;
      if (this.pacer.enqueue(now, (index << STREAM_SHIFT) | AGAIN | slot, index, RETRANSMISSION, size)) store.resending[slot] = 1;
    }
  }

  /** PLI, or FIR. */
  onKeyFrameRequest(ssrc: number): void {
    const stream = this.streams.find((each) => each.ssrc === ssrc);
    if (stream === undefined) return;
    stream.stats.keyFrameRequests++;
    stream.encoder.onKeyFrameRequest();
  }

  /** Bytes of media in a byte on the wire, for packets that are full. */
  get #mediaShare(): number {
    return PAYLOAD_MAX / (PAYLOAD_MAX + HEADER_BYTES + this.#options.overheadBytes);
  }

  #write(now: Micros, packet: number, cluster: number, view: DataView): Bytes {
    const stream = this.streams[packet >>> STREAM_SHIFT]!;
    const slot = packet & SLOT;
    const again = (packet & AGAIN) !== 0;
    const length = again
      ? stream.rewrite(now, slot, view, this.#transportSequence)
      : stream.write(now, slot, view, this.#transportSequence);
    this.#account(now, stream, view, length, cluster, again);
    return length;
  }

  #writePadding(now: Micros, cluster: number, view: DataView): Bytes {
    const { streams } = this;
    for (let i = 0; i < streams.length; i++) {
      const stream = streams[(this.#padder + i) % streams.length]!;
      if (stream.audio) continue;
      const length = stream.writePadding(now, this.pacer.paddingBytes, view, this.#transportSequence);
      if (length === 0) continue;
      this.#padder = (this.#padder + i) % streams.length;
      this.#account(now, stream, view, length, cluster, true);
      return length;
    }
    return 0;
  }

  #account(now: Micros, stream: OutboundStream, view: DataView, length: Bytes, cluster: number, retransmission: boolean): void {
    const { history } = this.adapter;
    const size = length + this.#options.overheadBytes;
    const named = this.#options.congestionFeedback === "ccfb" || stream.section.transportSequenceNumberId > 0;
    if (!this.#tracked || !named) {
      history.addUntracked(size);
      return;
    }
    const sent = this.#sent;
    sent.sequence = this.#transportSequence++;
    sent.sendTime = now;
    sent.size = size;
    sent.probeCluster = cluster;
    sent.audio = stream.audio;
    sent.retransmission = retransmission;
    history.add(sent);
    if (this.#options.congestionFeedback === "ccfb") this.#ccfb.sent(view.getUint32(8), view.getUint16(2), sent.sequence);
    this.controller.onSentPacket(sent, history.inFlight);
  }

  #drop(packet: number): void {
    const { store } = this.streams[packet >>> STREAM_SHIFT]!;
    const slot = packet & SLOT;
    if ((packet & AGAIN) !== 0) store.resending[slot] = 0;
    else store.drop(slot);
  }

  #apply(now: Micros): void {
    const { controller, pacer } = this;
    pacer.setCongested(now, controller.congested);
    this.#handler.setPacerQueueTime(pacer.expectedQueueTime);
    for (let probe = controller.nextProbe(); probe !== undefined; probe = controller.nextProbe()) pacer.addProbe(now, probe);
    if (controller.updates !== this.#updates) {
      this.#updates = controller.updates;
      pacer.setRates(now, controller.pacingRate, controller.paddingRate);
      this.#handler.setTarget(controller.targetRate, controller.windowReduction);
    }
    const allowed = this.#handler.take();
    if (Number.isNaN(allowed)) return;
    const { lossRatio, roundTripTime } = controller.state(now);
    this.#allocator.onEstimate(allowed, lossRatio, roundTripTime, this.#handler.windowReduction);
    controller.setStreams(now, this.#allocator.limits);
    this.#updates = controller.updates;
    pacer.setRates(now, controller.pacingRate, controller.paddingRate);
  }
}
