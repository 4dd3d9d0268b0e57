/**
 * One stream that is sent: its numbers, its packets, and the encoder behind it.
 *
 *   payload ─▶ PacketStore ─ pacer ─▶ header + payload ─▶ wire
 *                   ▲                                       │
 *                   └────── NACK ◀──────────────────────────┘      again as RTX (RFC 4588), or as it was where the peer knows no RTX
 *
 *   12          16        20 (or 24)
 *   ┌ header ──┬ 0xBEDE 1 ┬ id:2 sequence 0 ┬ [OSN] payload ┬ [padding] ┐
 *
 * Source: RFC 3550 sections 5.1 and 6.4.1, RFC 4588 section 4; libwebrtc 2026-08-22 modules/rtp_rtcp/rtp_sender for padding.
 */
import type { BitsPerSecond, Bytes, Micros, Millis } from "../base/units.ts";
import { ABS_SEND_TIME_BYTES, absSendTimeOf, writeAbsSendTime } from "../media/rtp/abs-send-time.ts";
import { HeaderExtensionWriter, ONE_BYTE } from "../media/rtp/header-extension.ts";
import { ntpFraction, ntpSeconds } from "../media/rtp/ntp-time.ts";
import { padRtp, RtpPacket } from "../media/rtp/rtp-packet.ts";
import { SenderReport } from "../media/rtp/sender-report.ts";
import { TRANSPORT_SEQUENCE_NUMBER_BYTES, writeTransportSequenceNumber } from "../media/rtp/transport-sequence-number.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import { PacketStore } from "./packet-store.ts";

/** Tuning: header, extensions and SRTP on top stay within 1280 bytes of IPv6. */
export const PAYLOAD_MAX: Bytes = 1160;
const STORE_PACKETS = 2048;
/** Tuning of libwebrtc. */
const PADDING_MAX: Bytes = 224;
const LONG: Bytes = 600;
const OSN_BYTES: Bytes = 2;
const EXTENSION_BYTES_MAX: Bytes = 12;

/** What makes the media of a stream. */
export interface Encoder {
  /**
   * What it may make from now on, headers not counted; 0 = pause. `windowReduction`: the share of it, 0…1, that it should save by leaving out frames
   * (gcc/frame-dropper.ts) while too much is in flight; above 0 only with `congestionWindow.dropFrames`.
   */
  onBitrate(media: BitsPerSecond, windowReduction: number): void;
  /** The receiver cannot decode without one. */
  onKeyFrameRequest(): void;
}

export interface OutboundOptions {
  readonly ssrc: number;
  /** SSRC of retransmissions; used if the peer knows RTX. */
  readonly rtxSsrc: number;
  readonly section: Negotiated;
  /** First sequence numbers of both, 0…65535. */
  readonly firstSequence: number;
  readonly firstRtxSequence: number;
}

export interface OutboundStats {
  packets: number;
  /** Payload, first time only. */
  bytes: Bytes;
  retransmissions: number;
  retransmittedBytes: Bytes;
  paddingPackets: number;
  paddingBytes: Bytes;
  nacks: number;
  /** Asked for, and no longer held. */
  nacksTooLate: number;
  /** Limit hit: payloads refused because too many wait. */
  refused: number;
  keyFrameRequests: number;
}

export class OutboundStream {
  readonly ssrc: number;
  /** −1 where the peer knows no RTX. */
  readonly rtxSsrc: number;
  readonly section: Negotiated;
  readonly encoder: Encoder;
  readonly store: PacketStore;
  readonly stats: OutboundStats = {
    packets: 0,
    bytes: 0,
    retransmissions: 0,
    retransmittedBytes: 0,
    paddingPackets: 0,
    paddingBytes: 0,
    nacks: 0,
    nacksTooLate: 0,
    refused: 0,
    keyFrameRequests: 0,
  };
  /** Sequence number of the packet that was written last. */
  sequence: number;
  #rtxSequence: number;
  #timestamp = 0;
  #timestampAt: Micros = 0;
  #markerSent = true;
  #lastSlot = -1;
  /** Number of the last packet that is worth sending again in place of padding, −1 = none yet. */
  #lastLong = -1;
  readonly #report = new SenderReport();
  readonly #header = new RtpPacket();
  readonly #extension = new HeaderExtensionWriter();

  constructor(options: OutboundOptions, encoder: Encoder) {
    this.ssrc = options.ssrc;
    this.section = options.section;
    this.rtxSsrc = options.section.rtxPayloadType >= 0 ? options.rtxSsrc : -1;
    this.encoder = encoder;
    this.sequence = (options.firstSequence - 1) & 0xffff;
    this.#rtxSequence = (options.firstRtxSequence - 1) & 0xffff;
    this.store = new PacketStore(STORE_PACKETS, PAYLOAD_MAX);
  }

  get audio(): boolean {
    return this.section.kind === "audio";
  }

  /** Puts a payload where it waits for the pacer; answers its slot, −1 when there is no room. */
  put(now: Micros, payload: Uint8Array, start: number, end: number, timestamp: number, marker: boolean): number {
    const slot = this.store.put(payload, start, end, timestamp, marker);
    if (slot < 0) this.stats.refused++;
    this.#timestamp = timestamp;
    this.#timestampAt = now;
    return slot;
  }

  /** What the packet in the slot will be long, tag and lower layers not counted. */
  size(slot: number, again: boolean): Bytes {
    return this.store.length[slot]! + 12 + this.#extensionBytes + (again && this.rtxSsrc >= 0 ? OSN_BYTES : 0);
  }

  /** Writes the packet in the slot, for the first time; answers its end. */
  write(now: Micros, slot: number, view: DataView, transportSequence: number): number {
    const { store, section, stats } = this;
    this.sequence = (this.sequence + 1) & 0xffff;
    store.sent(now, slot, this.sequence);
    this.#lastSlot = slot;
    this.#markerSent = store.marker[slot] === 1;
    stats.packets++;
    stats.bytes += store.length[slot]!;
    if (store.length[slot]! > LONG) this.#lastLong = this.sequence;
    const at = this.#begin(now, view, this.ssrc, section.format.payloadType, this.sequence, slot, transportSequence);
    return this.#copy(view, at, slot);
  }

  /** Writes the packet in the slot once more; answers its end. */
  rewrite(now: Micros, slot: number, view: DataView, transportSequence: number): number {
    const { store, section, stats } = this;
    store.sentAt[slot] = now;
    store.resending[slot] = 0;
    stats.retransmissions++;
    stats.retransmittedBytes += store.length[slot]!;
    const original = store.sequence[slot]!;
    if (this.rtxSsrc < 0) {
      return this.#copy(view, this.#begin(now, view, this.ssrc, section.format.payloadType, original, slot, transportSequence), slot);
    }
    this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
    const at = this.#begin(now, view, this.rtxSsrc, section.rtxPayloadType, this.#rtxSequence, slot, transportSequence);
    view.setUint16(at, original);
    return this.#copy(view, at + OSN_BYTES, slot);
  }

  /**
   * Writes a packet of padding, or an old one again where more is wanted than padding can be; answers its end, 0 when it cannot pad now: without RTX
   * padding takes sequence numbers of the media, and between packets of one picture it would look like loss to old receivers.
   */
  writePadding(now: Micros, wanted: Bytes, view: DataView, transportSequence: number): number {
    const { stats } = this;
    if (this.#lastSlot < 0) return 0;
    if (this.rtxSsrc >= 0) {
      const old = wanted > PADDING_MAX && this.#lastLong >= 0 ? this.store.find(this.#lastLong) : -1;
      if (old >= 0) return this.rewrite(now, old, view, transportSequence);
    } else if (!this.#markerSent) return 0;
    const end = this.rtxSsrc >= 0 ? this.#beginRepair(now, view, transportSequence) : this.#beginMediaPadding(now, view, transportSequence);
    const padding = Math.max(1, Math.min(PADDING_MAX, wanted));
    stats.paddingPackets++;
    stats.paddingBytes += padding;
    // The marker would end a picture that has no packets.
    view.setUint8(1, view.getUint8(1) & 0x7f);
    return padRtp(view, 0, end, padding);
  }

  /** The sender report, its report blocks not filled; undefined before the first packet. */
  report(now: Micros, unixEpoch: Millis): SenderReport | undefined {
    if (this.#lastSlot < 0) return undefined;
    const unix = unixEpoch + now / 1000;
    const report = this.#report;
    report.ssrc = this.ssrc;
    report.ntpSeconds = ntpSeconds(unix);
    report.ntpFraction = ntpFraction(unix);
    report.rtpTimestamp = (this.#timestamp + Math.round(((now - this.#timestampAt) * this.section.format.clockRate) / 1e6)) >>> 0;
    report.packetCount = this.stats.packets >>> 0;
    report.octetCount = this.stats.bytes % 0x100000000;
    return report;
  }

  get #extensionBytes(): Bytes {
    const { transportSequenceNumberId, absSendTimeId } = this.section;
    return transportSequenceNumberId < 0 && absSendTimeId < 0
      ? 0
      : transportSequenceNumberId > 0 && absSendTimeId > 0
        ? EXTENSION_BYTES_MAX
        : 8;
  }

  #beginRepair(now: Micros, view: DataView, transportSequence: number): number {
    this.#rtxSequence = (this.#rtxSequence + 1) & 0xffff;
    return this.#begin(now, view, this.rtxSsrc, this.section.rtxPayloadType, this.#rtxSequence, this.#lastSlot, transportSequence);
  }

  #beginMediaPadding(now: Micros, view: DataView, transportSequence: number): number {
    this.sequence = (this.sequence + 1) & 0xffff;
    return this.#begin(now, view, this.ssrc, this.section.format.payloadType, this.sequence, this.#lastSlot, transportSequence);
  }

  /** Header and extension of a packet at 0 of `view`; answers where its payload begins. */
  #begin(
    now: Micros,
    view: DataView,
    ssrc: number,
    payloadType: number,
    sequence: number,
    slot: number,
    transportSequence: number,
  ): number {
    const header = this.#header;
    header.marker = this.store.marker[slot] === 1;
    header.payloadType = payloadType;
    header.sequenceNumber = sequence;
    header.timestamp = this.store.timestamp[slot]!;
    header.ssrc = ssrc;
    header.csrcCount = 0;
    const at = header.write(view, 0);
    const { transportSequenceNumberId, absSendTimeId } = this.section;
    if (transportSequenceNumberId < 0 && absSendTimeId < 0) return at;
    const extension = this.#extension;
    extension.begin(view, 0, at + EXTENSION_BYTES_MAX, ONE_BYTE);
    if (transportSequenceNumberId > 0) {
      writeTransportSequenceNumber(view, extension.add(transportSequenceNumberId, TRANSPORT_SEQUENCE_NUMBER_BYTES), transportSequence);
    }
    if (absSendTimeId > 0) writeAbsSendTime(view, extension.add(absSendTimeId, ABS_SEND_TIME_BYTES), absSendTimeOf(now / 1000));
    return extension.finish();
  }

  #copy(view: DataView, at: number, slot: number): number {
    const { bytes, length, payloadMax } = this.store;
    const from = slot * payloadMax;
    const count = length[slot]!;
    for (let i = 0; i < count; i++) view.setUint8(at + i, bytes[from + i]!);
    return at + count;
  }
}
