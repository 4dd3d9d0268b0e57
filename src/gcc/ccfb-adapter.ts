/**
 * From CCFB messages (RFC 8888), which name packets by stream and RTP sequence number, to packet results.
 *
 *   sent(ssrc, rtp sequence, transport sequence) ─▶ table
 *   begin(report timestamp) ─▶ received | lost … ─▶ end       through feedback-adapter.ts
 *
 *   arrival = clock of reports − offset
 *
 * Packets between the lowest and the highest that a message names, in the order of sending, that it does not name are lost: a stream of which
 * nothing arrived is not in it.
 *
 * Source: reference/gcc.md I; libwebrtc f3ae3eb6 congestion_controller/rtp/transport_feedback_adapter, which serves both formats.
 *
 * Deviations: streams and packets that wait for a report are bounded. ECN is the caller's matter.
 */
import { assert } from "../base/assert.ts";
import type { Micros } from "../base/units.ts";
import type { FeedbackAdapter } from "./feedback-adapter.ts";
import { LOST } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const BACKWARDS_MAX: Micros = 5_000_000;
/** Rounding of the two report timestamps. */
const OFFSET_SLACK: Micros = 1000;

/** Tuning. */
const STREAMS_MAX = 64;
const STREAM_PACKETS_MAX = 4096;

export interface CcfbAdapterOptions {
  /** Streams sent at once; 64. */
  readonly streamsMax?: number;
  /** Packets of one stream that can wait for their report, a power of two; 4096. */
  readonly streamPacketsMax?: number;
}

export interface CcfbAdapterStats {
  /** Limit hit: packets of streams for which there was no place. */
  streamsRefused: number;
  /** Limit hit: packets that gave their place to a newer one of their stream before anything was reported of them. */
  overflowed: number;
  /** Packets of messages that name nothing we sent, or what was reported as received already. */
  unknown: number;
  /** Offsets that claim an arrival before the packet was sent or the last message was written. */
  offsetsClipped: number;
}

/** Transport sequence number by RTP sequence number of one stream; the newest of those that share a place. */
class SequenceTable {
  readonly #rtp: Int32Array;
  readonly #transport: Float64Array;

  constructor(length: number) {
    this.#rtp = new Int32Array(length).fill(-1);
    this.#transport = new Float64Array(length).fill(-1);
  }

  /** Answers the transport sequence number that had the place before, −1 = none. */
  set(rtp: number, transport: number): number {
    const i = rtp & (this.#rtp.length - 1);
    const before = this.#transport[i]!;
    this.#rtp[i] = rtp;
    this.#transport[i] = transport;
    return before;
  }

  /** −1 when not known. */
  get(rtp: number): number {
    const i = rtp & (this.#rtp.length - 1);
    return this.#rtp[i] === rtp ? this.#transport[i]! : -1;
  }
}

export class CcfbAdapter {
  readonly adapter: FeedbackAdapter;
  readonly stats: CcfbAdapterStats = { streamsRefused: 0, overflowed: 0, unknown: 0, offsetsClipped: 0 };
  readonly #streams = new Map<number, SequenceTable>();
  readonly #streamsMax: number;
  readonly #streamPacketsMax: number;
  #now: Micros = 0;
  /** Compact NTP of the last message, −1 = none yet, and the clock it moves. */
  #timestamp = -1;
  #clock: Micros = 0;
  /** Longest an offset can be: the time since the last message. */
  #sinceLast: Micros = Number.POSITIVE_INFINITY;

  constructor(adapter: FeedbackAdapter, options: CcfbAdapterOptions = {}) {
    this.adapter = adapter;
    this.#streamsMax = options.streamsMax ?? STREAMS_MAX;
    this.#streamPacketsMax = options.streamPacketsMax ?? STREAM_PACKETS_MAX;
    const packets = this.#streamPacketsMax;
    assert(packets > 0 && packets <= 65_536 && (packets & (packets - 1)) === 0, `streamPacketsMax ${packets}: a power of two up to 65536`);
  }

  /** A packet was sent; it was entered into the send history under `sequence` besides. `rtpSequence` is 0…65535. */
  sent(ssrc: number, rtpSequence: number, sequence: number): void {
    let stream = this.#streams.get(ssrc);
    if (stream === undefined) {
      if (this.#streams.size >= this.#streamsMax) {
        this.stats.streamsRefused++;
        return;
      }
      stream = new SequenceTable(this.#streamPacketsMax);
      this.#streams.set(ssrc, stream);
    }
    if (stream.set(rtpSequence, sequence) > this.adapter.history.acknowledged) this.stats.overflowed++;
  }

  /** A stream that is not sent any more makes room. */
  removeStream(ssrc: number): void {
    this.#streams.delete(ssrc);
  }

  /** Starts on a message that came in at `now`; `reportTimestamp` is its compact NTP, in 1/65536 s modulo 2^32. */
  begin(now: Micros, reportTimestamp: number): void {
    this.adapter.begin(now);
    this.#now = now;
    const elapsed = this.#timestamp < 0 ? 0 : (((reportTimestamp - this.#timestamp) | 0) * 1e6) / 65_536;
    this.#timestamp = reportTimestamp >>> 0;
    // Of a clock that was set back only what follows can be used.
    this.#clock = elapsed < -BACKWARDS_MAX ? now : this.#clock + elapsed;
    this.#sinceLast = elapsed > 0 ? elapsed + OFFSET_SLACK : Number.POSITIVE_INFINITY;
  }

  /** The message says that a packet arrived so long before its timestamp; Infinity = longer than it can tell, or it does not know. */
  received(ssrc: number, rtpSequence: number, arrivalOffset: Micros): void {
    const sequence = this.#lookup(ssrc, rtpSequence);
    if (sequence < 0) return;
    const sinceSent = Math.max(this.#now - this.adapter.history.sendTime(sequence), 0);
    const offsetMax = Math.min(this.#sinceLast, sinceSent);
    if (arrivalOffset > offsetMax) this.stats.offsetsClipped++;
    this.adapter.add(sequence, this.#clock - Math.min(arrivalOffset, offsetMax));
  }

  /** The message says that a packet has not arrived. */
  lost(ssrc: number, rtpSequence: number): void {
    const sequence = this.#lookup(ssrc, rtpSequence);
    if (sequence >= 0) this.adapter.add(sequence, LOST);
  }

  /** Fills `adapter.feedback`; false when the message names nothing we know. */
  end(): boolean {
    return this.adapter.end(true);
  }

  #lookup(ssrc: number, rtpSequence: number): number {
    const sequence = this.#streams.get(ssrc)?.get(rtpSequence) ?? -1;
    if (sequence >= 0 && this.adapter.history.has(sequence)) return sequence;
    this.stats.unknown++;
    return -1;
  }
}
