/**
 * One stream that is received: what its sequence numbers tell, and what is asked of its sender.
 *
 *   RTP ─▶ ReceptionStatistics ─▶ report block
 *      └─▶ NackList ─▶ NACK, and when that does not help PLI or FIR
 *      └─▶ sink
 *
 * A retransmission (RFC 4588) is a stream of its own on the wire, and gives its packets to the one it repairs:
 *
 *   RTX packet: header | original sequence number, 16 | original payload
 *
 * Source: RFC 3550 section 6.4, RFC 4588 section 4, RFC 5104 section 4.3.1.
 */

import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { Bytes, Micros, Millis } from "../base/units.ts";
import { ReceptionStatistics } from "../media/rtp/reception-statistics.ts";
import { ReportBlock } from "../media/rtp/report-block.ts";
import type { RtpPacket } from "../media/rtp/rtp-packet.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import { NackList } from "./nack-list.ts";

/** Tuning: a request is not repeated before its answer can have come. */
const KEY_FRAME_INTERVAL: Micros = 500_000;
const OSN_BYTES: Bytes = 2;

/** Where the media of a section goes. */
export interface PacketSink {
  /**
   * A packet with payload, in order of arrival: bytes[packet.payloadStart…payloadEnd). `sequence` is unwrapped. Packet and bytes are borrowed until it
   * returns.
   */
  packet(now: Micros, stream: InboundStream, packet: RtpPacket, bytes: Uint8Array, sequence: number): void;
  /** A packet of the stream that was nothing but padding, for sinks that put packets in order. */
  padding?(now: Micros, stream: InboundStream, sequence: number): void;
}

export interface InboundStats {
  packets: number;
  /** Payload only. */
  bytes: Bytes;
  /** Packets without payload. */
  padding: number;
  retransmissions: number;
  /** Key frames asked for. */
  keyFrameRequests: number;
}

export class InboundStream {
  readonly ssrc: number;
  readonly section: Negotiated;
  /** Which encoding of a simulcast it is; "" where there is one alone. */
  readonly rid: string;
  readonly stats: InboundStats = { packets: 0, bytes: 0, padding: 0, retransmissions: 0, keyFrameRequests: 0 };
  readonly nacks: NackList | undefined;
  readonly statistics: ReceptionStatistics;
  readonly block = new ReportBlock();
  /** The stream this one repairs, undefined when it is media itself. */
  readonly repairs: InboundStream | undefined;
  heard: Micros;
  readonly #sink: PacketSink;
  readonly #sequences = new SequenceUnwrapper(16);
  #keyFrameWanted = false;
  #keyFrameAskedAt: Micros = Number.NEGATIVE_INFINITY;
  #firSequence = 0;
  #clockTimestamp = 0;
  #clockUnix: Millis = Number.NaN;

  constructor(ssrc: number, section: Negotiated, sink: PacketSink, now: Micros, repairs?: InboundStream, rid = "") {
    this.ssrc = ssrc;
    this.section = section;
    this.rid = rid;
    this.repairs = repairs;
    this.heard = now;
    this.#sink = sink;
    this.block.ssrc = ssrc;
    // Its packets are authenticated and were negotiated, so it is believed at once.
    this.statistics = new ReceptionStatistics({ clockRate: section.format.clockRate, minSequential: 0 });
    this.nacks = section.nack && repairs === undefined ? new NackList() : undefined;
  }

  receive(now: Micros, packet: RtpPacket, bytes: Uint8Array, view: DataView): void {
    this.heard = now;
    if (!this.statistics.receive(now / 1000, packet.sequenceNumber, packet.timestamp)) return;
    if (this.repairs === undefined) {
      this.#deliver(now, packet, bytes);
      return;
    }
    this.stats.packets++;
    if (packet.payloadEnd - packet.payloadStart < OSN_BYTES) {
      this.stats.padding++;
      return;
    }
    packet.sequenceNumber = view.getUint16(packet.payloadStart);
    packet.payloadStart += OSN_BYTES;
    packet.ssrc = this.repairs.ssrc;
    packet.payloadType = this.section.format.payloadType;
    this.repairs.stats.retransmissions++;
    this.repairs.#deliver(now, packet, bytes);
  }

  /** The sender's clock: which of its RTP timestamps belongs to which Unix time, from its sender report. */
  setClock(timestamp: number, unix: Millis): void {
    this.#clockTimestamp = timestamp;
    this.#clockUnix = unix;
  }

  /** Unix milliseconds on the sender's clock of an RTP timestamp; NaN before its first sender report. */
  unixOf(timestamp: number): Millis {
    return this.#clockUnix + (((timestamp - this.#clockTimestamp) | 0) * 1000) / this.section.format.clockRate;
  }

  /** The decoder needs a picture that stands alone. */
  requestKeyFrame(): void {
    this.#keyFrameWanted = true;
  }

  /** Whether to ask for a key frame now; it counts as asked. */
  keyFrameDue(now: Micros): boolean {
    if (this.nacks?.keyFrameWanted === true) {
      this.nacks.keyFrameWanted = false;
      this.#keyFrameWanted = true;
    }
    if (!this.#keyFrameWanted || now - this.#keyFrameAskedAt < KEY_FRAME_INTERVAL) return false;
    this.#keyFrameWanted = false;
    this.#keyFrameAskedAt = now;
    this.stats.keyFrameRequests++;
    this.#firSequence = (this.#firSequence + 1) & 0xff;
    return true;
  }

  /** Number of the full intra request that `keyFrameDue` began. */
  get firSequence(): number {
    return this.#firSequence;
  }

  deadline(): Micros {
    const asked =
      this.#keyFrameWanted || this.nacks?.keyFrameWanted === true ? this.#keyFrameAskedAt + KEY_FRAME_INTERVAL : Number.POSITIVE_INFINITY;
    return Math.min(asked, this.nacks?.deadline() ?? Number.POSITIVE_INFINITY);
  }

  #deliver(now: Micros, packet: RtpPacket, bytes: Uint8Array): void {
    const sequence = this.#sequences.unwrap(packet.sequenceNumber);
    this.nacks?.receive(now, sequence);
    this.stats.packets++;
    const length = packet.payloadEnd - packet.payloadStart;
    if (length === 0) {
      this.stats.padding++;
      this.#sink.padding?.(now, this, sequence);
      return;
    }
    this.stats.bytes += length;
    this.#sink.packet(now, this, packet, bytes, sequence);
  }
}
