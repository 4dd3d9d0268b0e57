/**
 * One WebRTC session above its transport: RTP and RTCP in the clear, both directions, as a core without sockets or clock.
 *
 *   receiveRtp ─▶ Receiver ─▶ sink              ┌ SR or RR, SDES ┐
 *   receiveRtcp ─▶ RtcpInbox ─▶ both            │ feedback       ├ transmit ─▶ the caller's buffer ─▶ SRTP
 *   send ─▶ Sender ─▶ pacer                     └ RTP            ┘
 *
 * After `receive…`, `send` or `advance` drain `transmit`, then read `deadline`.
 *
 * Source: RFC 3550 section 6, RFC 5506 for reduced size; reference/gcc.md A and I.
 *
 * Deviations: reports go every second, varied by half (RFC 3550's share of the bandwidth with one peer comes to more), as libwebrtc does for video.
 */
import type { Prng } from "../base/prng.ts";
import type { BitsPerSecond, Bytes, Micros, Millis } from "../base/units.ts";
import { ReceiverReport } from "../media/rtp/receiver-report.ts";
import { CNAME, SourceDescriptionWriter } from "../media/rtp/source-description.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import type { PacketSink } from "./inbound-stream.ts";
import { Receiver } from "./receiver.ts";
import { RtcpInbox } from "./rtcp-inbox.ts";
import { Sender, type SenderOptions } from "./sender.ts";

const REPORT_INTERVAL: Micros = 1_000_000;
/** What we may send ourselves, as long as nothing is known of it: it decides how often arrivals are reported. Tuning of libwebrtc. */
const START_BITRATE: BitsPerSecond = 300_000;
/** Fits any path with SRTP, UDP and IPv6 around it. */
const RTCP_BYTES_MAX: Bytes = 1200;
/** A feedback is begun only where the longest still fits behind reports. */
const FEEDBACK_ROOM: Bytes = 1200;
export const DATAGRAM_BYTES: Bytes = 2 * RTCP_BYTES_MAX;

export interface SessionOptions {
  readonly sections: readonly Negotiated[];
  /** Under which SSRC feedback is sent while no media is. */
  readonly ssrc: number;
  readonly cname: string;
  /** Unix milliseconds at which the clock was 0. */
  readonly unixEpoch: Millis;
  readonly overheadBytes: Bytes;
  readonly sink: PacketSink;
  readonly prng: Prng;
  /** Undefined: nothing is sent but feedback. */
  readonly sender?: Omit<SenderOptions, "congestionFeedback" | "overheadBytes"> | undefined;
}

export class Session {
  readonly receiver: Receiver;
  readonly sender: Sender | undefined;
  readonly inbox: RtcpInbox;
  /** Datagrams of RTCP written. */
  rtcpSent = 0;
  readonly #options: SessionOptions;
  readonly #cname: Uint8Array;
  readonly #reducedSize: boolean;
  readonly #receiverReport = new ReceiverReport();
  readonly #descriptions = new SourceDescriptionWriter();
  #connected = false;
  /** Feedback of this round may have more to tell: it is asked until it has not. */
  #draining = false;
  #nextReport: Micros = Number.POSITIVE_INFINITY;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { sections, sink, unixEpoch, overheadBytes } = options;
    this.#cname = Uint8Array.from(options.cname, (letter) => letter.charCodeAt(0));
    this.#reducedSize = sections.every(({ reducedSize, kind }) => reducedSize || kind === "audio");
    this.receiver = new Receiver({ sections, sink, unixEpoch, overheadBytes });
    const congestionFeedback = sections.find((section) => section.congestionFeedback !== "none")?.congestionFeedback ?? "none";
    this.sender = options.sender === undefined ? undefined : new Sender({ ...options.sender, congestionFeedback, overheadBytes });
    this.receiver.reporter.setSendRate(START_BITRATE);
    this.inbox = new RtcpInbox(this.receiver, this.sender, unixEpoch);
  }

  /** The transport below is up. */
  connect(now: Micros): void {
    this.#connected = true;
    this.#nextReport = now + this.#interval();
    this.sender?.setNetwork(now, true);
  }

  /** Takes the RTP packet bytes[0…length), `view` over the same. */
  receiveRtp(now: Micros, bytes: Uint8Array, view: DataView, length: number): void {
    this.receiver.receive(now, bytes, view, length);
  }

  receiveRtcp(now: Micros, bytes: Uint8Array, view: DataView, length: number): void {
    this.inbox.receive(now, bytes, view, length);
    const rate = this.sender?.controller.targetRate ?? 0;
    if (rate > 0) this.receiver.reporter.setSendRate(rate);
  }

  advance(now: Micros): void {
    this.sender?.advance(now);
  }

  deadline(now: Micros): Micros {
    if (!this.#connected) return Number.POSITIVE_INFINITY;
    return Math.min(this.#nextReport, this.receiver.deadline(), this.sender?.deadline(now) ?? Number.POSITIVE_INFINITY);
  }

  /** Writes the next datagram to the beginning of `view`, DATAGRAM_BYTES long at least; answers its length, 0 when there is none. isRtcp tells which. */
  transmit(now: Micros, view: DataView): Bytes {
    if (!this.#connected) return 0;
    const rtcp = this.#transmitRtcp(now, view);
    if (rtcp > 0) {
      this.rtcpSent++;
      return rtcp;
    }
    return this.sender?.transmit(now, view) ?? 0;
  }

  #transmitRtcp(now: Micros, view: DataView): Bytes {
    const reportDue = now >= this.#nextReport;
    if (!reportDue && !this.#draining && this.receiver.deadline() > now) return 0;
    let at = 0;
    if (reportDue) {
      this.#nextReport = now + this.#interval();
      at = this.#writeReports(now, view);
    } else if (!this.#reducedSize) at = this.#writeEmptyReport(view);
    const feedback = this.receiver.write(now, view, at, Math.min(view.byteLength, at + FEEDBACK_ROOM), this.#ssrc);
    this.#draining = feedback > 0;
    return reportDue || feedback > 0 ? at + feedback : 0;
  }

  get #ssrc(): number {
    return this.sender?.streams[0]?.ssrc ?? this.#options.ssrc;
  }

  /** A sender report of each stream that sends, or a receiver report; then who we are. */
  #writeReports(now: Micros, view: DataView): number {
    const blocks = this.receiver.reportBlocks(now);
    let at = 0;
    for (const stream of this.sender?.streams ?? []) {
      const report = stream.report(now, this.#options.unixEpoch);
      if (report !== undefined) at += report.write(view, at, RTCP_BYTES_MAX, blocks, at === 0 ? blocks.length : 0);
    }
    if (at === 0) {
      this.#receiverReport.ssrc = this.#ssrc;
      at = this.#receiverReport.write(view, 0, RTCP_BYTES_MAX, blocks, blocks.length);
    }
    return at + this.#writeDescription(view, at);
  }

  #writeEmptyReport(view: DataView): number {
    this.#receiverReport.ssrc = this.#ssrc;
    const at = this.#receiverReport.write(view, 0, RTCP_BYTES_MAX, [], 0);
    return at + this.#writeDescription(view, at);
  }

  #writeDescription(view: DataView, at: number): Bytes {
    this.#descriptions.begin(view, at, RTCP_BYTES_MAX);
    this.#descriptions.chunk(this.#ssrc);
    this.#descriptions.item(CNAME, this.#cname);
    return this.#descriptions.finish();
  }

  #interval(): Micros {
    return Math.round(REPORT_INTERVAL * (0.5 + this.#options.prng.float()));
  }
}
