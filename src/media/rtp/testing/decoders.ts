/** One of each decoder, as a receiver holds them, and the walk through a datagram that reads all there is to read. */
import { CongestionFeedback, FMT_CONGESTION_FEEDBACK } from "../congestion-feedback.ts";
import { FMT_FIR, FullIntraRequest } from "../full-intra-request.ts";
import { FMT_NACK, GenericNack } from "../generic-nack.ts";
import { Goodbye } from "../goodbye.ts";
import { FMT_PLI, PictureLoss } from "../picture-loss.ts";
import { ReceiverReport } from "../receiver-report.ts";
import { FMT_AFB, Remb } from "../remb.ts";
import { ReportBlock } from "../report-block.ts";
import { RtcpCompound } from "../rtcp-compound.ts";
import { BYE, PSFB, RR, RTPFB, SDES, SR } from "../rtcp-header.ts";
import { SenderReport } from "../sender-report.ts";
import { SourceDescription } from "../source-description.ts";
import { FMT_TRANSPORT_FEEDBACK, TransportFeedback } from "../transport-feedback.ts";

export class Decoders {
  readonly rtcp = new RtcpCompound();
  /** Packets understood, and things told by them: blocks, items, losses, arrivals. */
  understood = 0;
  told = 0;
  readonly #sender = new SenderReport();
  readonly #receiver = new ReceiverReport();
  readonly #block = new ReportBlock();
  readonly #description = new SourceDescription();
  readonly #goodbye = new Goodbye();
  readonly #nack = new GenericNack();
  readonly #loss = new PictureLoss();
  readonly #request = new FullIntraRequest();
  readonly #remb = new Remb();
  readonly #transport = new TransportFeedback();
  readonly #congestion = new CongestionFeedback();

  receive(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { rtcp } = this;
    rtcp.open(bytes, view, start, end);
    while (rtcp.next()) if (this.#read()) this.understood++;
  }

  #read(): boolean {
    const { rtcp } = this;
    switch (rtcp.packetType) {
      case SR:
        if (!this.#sender.read(rtcp)) return false;
        for (let i = 0; i < this.#sender.blocks; i++, this.told++) this.#sender.block(rtcp, i, this.#block);
        return true;
      case RR:
        if (!this.#receiver.read(rtcp)) return false;
        for (let i = 0; i < this.#receiver.blocks; i++, this.told++) this.#receiver.block(rtcp, i, this.#block);
        return true;
      case SDES:
        if (!this.#description.read(rtcp)) return false;
        while (this.#description.next(rtcp)) {
          this.told++;
          if (this.#description.textEnd > rtcp.end) throw new Error("an item reaches beyond its packet");
        }
        return true;
      case BYE:
        if (!this.#goodbye.read(rtcp)) return false;
        if (this.#goodbye.reasonEnd > rtcp.end) throw new Error("a reason reaches beyond its packet");
        for (let i = 0; i < this.#goodbye.sources; i++, this.told++) this.#goodbye.ssrc(rtcp, i);
        return true;
      case RTPFB:
        return this.#readTransportLayer();
      case PSFB:
        return this.#readPayloadSpecific();
      default:
        return false;
    }
  }

  #readTransportLayer(): boolean {
    const { rtcp } = this;
    switch (rtcp.count) {
      case FMT_NACK:
        if (!this.#nack.read(rtcp)) return false;
        while (this.#nack.next(rtcp)) this.told++;
        return true;
      case FMT_TRANSPORT_FEEDBACK: {
        if (!this.#transport.read(rtcp)) return false;
        let statuses = 0;
        let received = 0;
        while (this.#transport.next(rtcp)) {
          statuses++;
          if (this.#transport.received) received++;
        }
        if (statuses !== this.#transport.statusCount || received !== this.#transport.receivedCount) throw new Error("counts disagree");
        this.told += received;
        return true;
      }
      case FMT_CONGESTION_FEEDBACK:
        if (!this.#congestion.read(rtcp)) return false;
        while (this.#congestion.next(rtcp)) this.told++;
        return true;
      default:
        return false;
    }
  }

  #readPayloadSpecific(): boolean {
    const { rtcp } = this;
    switch (rtcp.count) {
      case FMT_PLI:
        return this.#loss.read(rtcp);
      case FMT_FIR:
        if (!this.#request.read(rtcp)) return false;
        while (this.#request.next(rtcp)) this.told++;
        return true;
      case FMT_AFB:
        if (!this.#remb.read(rtcp)) return false;
        for (let i = 0; i < this.#remb.sources; i++, this.told++) this.#remb.ssrc(rtcp, i);
        return true;
      default:
        return false;
    }
  }
}
