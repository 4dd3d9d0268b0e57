/**
 * Everything that is received on one transport: packets to their streams, and what is told their senders.
 *
 *   RTP ─▶ stream by SSRC, or a new one by payload type (and rid) ─▶ ArrivalReporter ─▶ InboundStream ─▶ sink
 *   write: congestion feedback · NACK · PLI or FIR            reportBlocks: for RR and SR
 *
 * Source: RFC 3550 section 6, RFC 4585 section 6, RFC 9143 section 9.2 for how packets find their section.
 *
 * Deviations: a stream is assigned by its payload type alone when its SSRC was not announced: sections of one transport have no type in common here
 * (negotiation.ts takes one format of each). Encodings of a simulcast are told apart by their header extensions (RFC 8852); packets without one, before their SSRC was
 * heard of with it, are dropped and counted.
 */
import type { Bytes, Micros } from "../base/units.ts";
import { readAbsSendTime } from "../media/rtp/abs-send-time.ts";
import { putFullIntraRequest } from "../media/rtp/full-intra-request.ts";
import { GenericNackWriter } from "../media/rtp/generic-nack.ts";
import { HeaderExtensions } from "../media/rtp/header-extension.ts";
import { putPictureLoss } from "../media/rtp/picture-loss.ts";
import type { ReportBlock } from "../media/rtp/report-block.ts";
import { RtpPacket } from "../media/rtp/rtp-packet.ts";
import { isIdentification } from "../media/rtp/stream-identification.ts";
import { readTransportSequenceNumber } from "../media/rtp/transport-sequence-number.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import type { Simulcast } from "../media/sdp/simulcast.ts";
import { type ArrivalReporter, silentReporter } from "./arrival-reporter.ts";
import { CcfbReporter } from "./ccfb-reporter.ts";
import { InboundStream, type PacketSink } from "./inbound-stream.ts";
import { RembReporter } from "./remb-reporter.ts";
import { TwccReporter } from "./twcc-reporter.ts";

const STREAMS_MAX = 64;
const BLOCKS_MAX = 31;
const NACK_BYTES_MIN: Bytes = 64;
const FEEDBACK_BYTES: Bytes = 20;

export interface ReceiverStats {
  /** Packets of payload types or encodings that were not negotiated. */
  unknown: number;
  /** Limit hit: packets of streams for which there was no place. */
  streamsRefused: number;
}

export interface ReceiverOptions {
  readonly sections: readonly Negotiated[];
  readonly sink: PacketSink;
  /** Unix milliseconds at which the clock was 0. */
  readonly unixEpoch: number;
  /** What the layers below add to each packet. */
  readonly overheadBytes: Bytes;
  /** Most streams at once, those of retransmissions included; 64. */
  readonly streamsMax?: number;
}

export class Receiver {
  readonly stats: ReceiverStats = { unknown: 0, streamsRefused: 0 };
  readonly packet = new RtpPacket();
  readonly reporter: ArrivalReporter;
  readonly streams: InboundStream[] = [];
  readonly #options: ReceiverOptions;
  readonly #bySsrc = new Map<number, InboundStream>();
  readonly #extensions = new HeaderExtensions();
  readonly #nack = new GenericNackWriter();
  readonly #blocks: ReportBlock[] = [];
  readonly #transportSequenceNumberId: number;
  readonly #absSendTimeId: number;
  /** Whose report block comes first. */
  #turn = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    // All sections of a bundle have one feedback; the first that wants any decides.
    const deciding = options.sections.find(({ congestionFeedback }) => congestionFeedback !== "none");
    this.#transportSequenceNumberId = deciding?.transportSequenceNumberId ?? -1;
    this.#absSendTimeId = deciding?.absSendTimeId ?? -1;
    this.reporter = reporterOf(deciding, options.unixEpoch);
  }

  /** Takes the RTP packet bytes[0…length). */
  receive(now: Micros, bytes: Uint8Array, view: DataView, length: number): void {
    const { packet } = this;
    if (!packet.read(view, 0, length)) return;
    const stream = this.#bySsrc.get(packet.ssrc) ?? this.#open(now, packet, bytes);
    if (stream === undefined) return;
    const transportSequence = this.#extension(bytes, this.#transportSequenceNumberId)
      ? readTransportSequenceNumber(view, this.#extensions.start)
      : -1;
    const absSendTime = this.#extension(bytes, this.#absSendTimeId) ? readAbsSendTime(view, this.#extensions.start) : -1;
    this.reporter.arrived(now, packet, length + this.#options.overheadBytes, transportSequence, absSendTime);
    stream.receive(now, packet, bytes, view);
  }

  stream(ssrc: number): InboundStream | undefined {
    return this.#bySsrc.get(ssrc);
  }

  /** The stream has ended (BYE). */
  remove(ssrc: number): void {
    const stream = this.#bySsrc.get(ssrc);
    if (stream === undefined) return;
    this.#bySsrc.delete(ssrc);
    this.streams.splice(this.streams.indexOf(stream), 1);
  }

  setRoundTrip(roundTrip: Micros): void {
    for (const { nacks } of this.streams) if (nacks !== undefined) nacks.roundTrip = roundTrip;
  }

  deadline(): Micros {
    let deadline = this.reporter.deadline();
    for (const stream of this.streams) deadline = Math.min(deadline, stream.deadline());
    return deadline;
  }

  /** Writes feedback that is due to at…limit, where there should be room for 1200 bytes; answers its length, 0 when there is no more. */
  write(now: Micros, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    let end = at;
    for (const stream of this.streams) {
      if (limit - end < NACK_BYTES_MIN) return end - at;
      end += this.#writeNack(now, stream, view, end, limit, senderSsrc);
      if (stream.keyFrameDue(now)) end += this.#writeKeyFrameRequest(stream, view, end, limit, senderSsrc);
    }
    this.reporter.advance(now);
    return end - at + this.reporter.write(now, view, end, limit, senderSsrc);
  }

  /** Blocks for the next report, filled: the first `reportCount`. Those who find no place come first next time. */
  reportBlocks(now: Micros): readonly ReportBlock[] {
    const blocks = this.#blocks;
    blocks.length = 0;
    const { streams } = this;
    for (let i = 0; i < streams.length && blocks.length < BLOCKS_MAX; i++) {
      const stream = streams[(this.#turn + i) % streams.length]!;
      if (stream.statistics.report(now / 1000, stream.block)) blocks.push(stream.block);
    }
    this.#turn = (this.#turn + blocks.length) % Math.max(streams.length, 1);
    return blocks;
  }

  #extension(bytes: Uint8Array, id: number): boolean {
    return id > 0 && this.#extensions.find(bytes, this.packet, id);
  }

  #open(now: Micros, packet: RtpPacket, bytes: Uint8Array): InboundStream | undefined {
    const { sections, sink, streamsMax = STREAMS_MAX } = this.#options;
    const { payloadType, ssrc } = packet;
    const section = sections.find(({ format, rtxPayloadType }) => format.payloadType === payloadType || rtxPayloadType === payloadType);
    if (section === undefined) {
      this.stats.unknown++;
      return undefined;
    }
    const repair = payloadType === section.rtxPayloadType;
    const rid = this.#ridOf(section.simulcast, repair, bytes);
    if (rid === undefined) {
      this.stats.unknown++;
      return undefined;
    }
    const media = repair ? this.#repaired(section, ssrc, rid) : undefined;
    // A retransmission before its stream was heard of: nobody can tell whose it is.
    if (repair && media === undefined) return undefined;
    if (this.streams.length >= streamsMax) {
      this.stats.streamsRefused++;
      return undefined;
    }
    const stream = new InboundStream(ssrc, section, sink, now, media, rid);
    this.streams.push(stream);
    this.#bySsrc.set(ssrc, stream);
    return stream;
  }

  /** Which encoding the packet belongs to; undefined when it does not say, or names none that was agreed upon. */
  #ridOf(simulcast: Simulcast | undefined, repair: boolean, bytes: Uint8Array): string | undefined {
    if (simulcast === undefined) return "";
    if (!this.#extension(bytes, repair ? simulcast.rridId : simulcast.ridId)) return undefined;
    const { start, end } = this.#extensions;
    return simulcast.rids.find((rid) => isIdentification(bytes, start, end, rid));
  }

  #repaired(section: Negotiated, rtxSsrc: number, rid: string): InboundStream | undefined {
    const announced = section.streams.find((stream) => stream.rtxSsrc === rtxSsrc)?.ssrc;
    if (announced !== undefined) return this.#bySsrc.get(announced);
    return this.streams.find((stream) => stream.section === section && stream.rid === rid && stream.repairs === undefined);
  }

  #writeNack(now: Micros, stream: InboundStream, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    const { nacks } = stream;
    if (nacks === undefined || nacks.deadline() > now) return 0;
    this.#nack.begin(view, at, limit, senderSsrc, stream.ssrc);
    for (let sequence = nacks.next(now, Number.NEGATIVE_INFINITY); !Number.isNaN(sequence); sequence = nacks.next(now, sequence + 1)) {
      // What finds no place waits until it is due again.
      if (!this.#nack.add(sequence & 0xffff)) break;
    }
    return this.#nack.finish();
  }

  #writeKeyFrameRequest(stream: InboundStream, view: DataView, at: number, limit: number, senderSsrc: number): Bytes {
    const { pictureLoss, fullIntraRequest } = stream.section;
    if (limit - at < FEEDBACK_BYTES) return 0;
    if (pictureLoss) return putPictureLoss(view, at, limit, senderSsrc, stream.ssrc);
    return fullIntraRequest ? putFullIntraRequest(view, at, limit, senderSsrc, stream.ssrc, stream.firSequence) : 0;
  }
}

function reporterOf(section: Negotiated | undefined, unixEpoch: number): ArrivalReporter {
  switch (section?.congestionFeedback) {
    case "transport-cc":
      return new TwccReporter();
    case "ccfb":
      return new CcfbReporter(unixEpoch);
    case "goog-remb":
      return new RembReporter();
    default:
      return silentReporter;
  }
}
