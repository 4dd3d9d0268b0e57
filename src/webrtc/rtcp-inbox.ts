/**
 * Takes RTCP apart and brings each part to whom it concerns.
 *
 *   SR ─▶ the inbound stream's clock     blocks of SR and RR, NACK, PLI, FIR, REMB, transport feedback, CCFB ─▶ Sender     BYE ─▶ Receiver
 */
import type { Micros, Millis } from "../base/units.ts";
import { CongestionFeedback, FMT_CONGESTION_FEEDBACK } from "../media/rtp/congestion-feedback.ts";
import { FMT_FIR, FullIntraRequest } from "../media/rtp/full-intra-request.ts";
import { FMT_NACK, GenericNack } from "../media/rtp/generic-nack.ts";
import { Goodbye } from "../media/rtp/goodbye.ts";
import { compactNtp, ntpFraction, ntpSeconds, unixMillisOf } from "../media/rtp/ntp-time.ts";
import { FMT_PLI, PictureLoss } from "../media/rtp/picture-loss.ts";
import { ReceiverReport } from "../media/rtp/receiver-report.ts";
import { FMT_AFB, Remb } from "../media/rtp/remb.ts";
import { ReportBlock } from "../media/rtp/report-block.ts";
import { RtcpCompound } from "../media/rtp/rtcp-compound.ts";
import { BYE, PSFB, RR, RTPFB, SR } from "../media/rtp/rtcp-header.ts";
import { SenderReport } from "../media/rtp/sender-report.ts";
import { FMT_TRANSPORT_FEEDBACK, TransportFeedback } from "../media/rtp/transport-feedback.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";

export class RtcpInbox {
  readonly rtcp = new RtcpCompound();
  readonly transportFeedback = new TransportFeedback();
  readonly #receiver: Receiver;
  readonly #sender: Sender | undefined;
  readonly #unixEpoch: Millis;
  readonly #senderReport = new SenderReport();
  readonly #receiverReport = new ReceiverReport();
  readonly #block = new ReportBlock();
  readonly #goodbye = new Goodbye();
  readonly #nack = new GenericNack();
  readonly #pictureLoss = new PictureLoss();
  readonly #fullIntraRequest = new FullIntraRequest();
  readonly #remb = new Remb();
  readonly #congestionFeedback = new CongestionFeedback();

  constructor(receiver: Receiver, sender: Sender | undefined, unixEpoch: Millis) {
    this.#receiver = receiver;
    this.#sender = sender;
    this.#unixEpoch = unixEpoch;
  }

  /** Takes the datagram bytes[0…length). */
  receive(now: Micros, bytes: Uint8Array, view: DataView, length: number): void {
    const { rtcp } = this;
    rtcp.open(bytes, view, 0, length);
    while (rtcp.next()) this.#take(now);
  }

  #take(now: Micros): void {
    const { rtcp } = this;
    switch (rtcp.packetType) {
      case SR:
        if (this.#senderReport.read(rtcp)) this.#takeSenderReport(now);
        break;
      case RR:
        if (this.#receiverReport.read(rtcp)) this.#takeBlocks(now, this.#receiverReport);
        break;
      case BYE:
        if (this.#goodbye.read(rtcp)) for (let i = 0; i < this.#goodbye.sources; i++) this.#receiver.remove(this.#goodbye.ssrc(rtcp, i));
        break;
      case RTPFB:
        if (this.#sender !== undefined) this.#takeTransportLayer(now, this.#sender);
        break;
      case PSFB:
        if (this.#sender !== undefined) this.#takePayloadSpecific(now, this.#sender);
    }
  }

  #takeSenderReport(now: Micros): void {
    const report = this.#senderReport;
    const stream = this.#receiver.stream(report.ssrc);
    if (stream !== undefined) {
      stream.statistics.senderReport(now / 1000, report.compact);
      stream.setClock(report.rtpTimestamp, unixMillisOf(report.ntpSeconds, report.ntpFraction));
    }
    this.#takeBlocks(now, report);
  }

  #takeBlocks(now: Micros, report: SenderReport | ReceiverReport): void {
    const sender = this.#sender;
    if (sender === undefined || report.blocks === 0) return;
    const unix = this.#unixEpoch + now / 1000;
    const compact = compactNtp(ntpSeconds(unix), ntpFraction(unix));
    for (let i = 0; i < report.blocks; i++) {
      report.block(this.rtcp, i, this.#block);
      sender.onReportBlock(now, this.#block, compact);
    }
    sender.onReported(now);
    if (sender.roundTrip > 0) this.#receiver.setRoundTrip(sender.roundTrip);
  }

  #takeTransportLayer(now: Micros, sender: Sender): void {
    const { rtcp } = this;
    if (rtcp.count === FMT_NACK) {
      if (this.#nack.read(rtcp)) sender.onNack(now, rtcp, this.#nack);
    } else if (rtcp.count === FMT_TRANSPORT_FEEDBACK) {
      if (this.transportFeedback.read(rtcp)) sender.onTransportFeedback(now, rtcp, this.transportFeedback);
    } else if (rtcp.count === FMT_CONGESTION_FEEDBACK) {
      if (this.#congestionFeedback.read(rtcp)) sender.onCongestionFeedback(now, rtcp, this.#congestionFeedback);
    }
  }

  #takePayloadSpecific(now: Micros, sender: Sender): void {
    const { rtcp } = this;
    if (rtcp.count === FMT_PLI) {
      if (this.#pictureLoss.read(rtcp)) sender.onKeyFrameRequest(this.#pictureLoss.mediaSsrc);
    } else if (rtcp.count === FMT_FIR) {
      if (this.#fullIntraRequest.read(rtcp))
        while (this.#fullIntraRequest.next(rtcp)) sender.onKeyFrameRequest(this.#fullIntraRequest.ssrc);
    } else if (rtcp.count === FMT_AFB) {
      if (this.#remb.read(rtcp)) sender.onRemb(now, this.#remb.bitrate);
    }
  }
}
