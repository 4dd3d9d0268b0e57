/**
 * When the receiver reports arrivals by RFC 8888, and what: the values of CCFB; media/rtp writes them onto the wire.
 *
 *   receive(ssrc, sequence, arrival, marker, ecn) ─▶ ccfb-stream ─▶ advance: is it time? ─▶ report(into) … until it answers false
 *
 *   it is time: 25…250 ms after the last message, as its size allows at 500 kbit/s, and the end of a frame (marker) or 25 ms have come
 *
 * Source: reference/gcc.md I; libwebrtc f3ae3eb6 remote_bitrate_estimator/congestion_control_feedback_generator.
 *
 * Deviations:
 *   - a report holds at most as many packets as the caller's has room for, so that it fits a datagram; the rest follow in the same round
 *   - streams are bounded, the one that was silent longest makes room
 *   - `deadline` sleeps while there is nothing to report
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { NOT_RECEIVED } from "./arrival-map.ts";
import { CcfbStream } from "./ccfb-stream.ts";

/** Tuning of libwebrtc. */
const INTERVAL_MIN: Micros = 25_000;
const INTERVAL_MAX: Micros = 250_000;
const MARKER_WAIT: Micros = 25_000;
const RATE_MAX: BitsPerSecond = 500_000;
const OVERHEAD_BYTES: Bytes = 42;

/** Spec: RTCP header and sender, and the report timestamp; SSRC, begin_seq and num_reports of a stream. */
const MESSAGE_BYTES: Bytes = 12;
const STREAM_BYTES: Bytes = 8;

/** Tuning. */
const STREAMS_MAX = 64;
const REPORT_PACKETS_MAX = 500;
/** Stream headers a report may need at most. */
const REPORT_STREAMS_MAX = 16;

/** Arrivals of one message, made by the caller and reused: packets of a stream stand together, and ascend. */
export class CcfbReport {
  readonly capacity: number;
  length = 0;
  /** Arrival offsets count back from here. */
  reportTime: Micros = 0;
  readonly ssrc: Float64Array;
  /** 0…65535. */
  readonly sequence: Uint16Array;
  /** How long before `reportTime` it arrived; NaN = not received. */
  readonly arrivalOffset: Float64Array;
  readonly ecn: Uint8Array;

  constructor(capacity: number = REPORT_PACKETS_MAX) {
    this.capacity = capacity;
    this.ssrc = new Float64Array(capacity);
    this.sequence = new Uint16Array(capacity);
    this.arrivalOffset = new Float64Array(capacity);
    this.ecn = new Uint8Array(capacity);
  }
}

export interface CcfbGeneratorOptions {
  /** Streams reported at once; 64. */
  readonly streamsMax?: number;
  /** Share of our own send estimate that messages may take while that estimate is what limits us; 0 = only the bound of 500 kbit/s. */
  readonly feedbackShare?: number;
}

export interface CcfbGeneratorStats {
  /** Limit hit: streams forgotten because a new one needed the place. */
  streamsEvicted: number;
}

export class CcfbGenerator {
  readonly stats: CcfbGeneratorStats = { streamsEvicted: 0 };
  readonly #streams: CcfbStream[] = [];
  readonly #streamsMax: number;
  readonly #share: number;
  #rateMax: BitsPerSecond = RATE_MAX;
  #overheadBytes: Bytes = OVERHEAD_BYTES;
  #firstArrival: Micros = Number.NaN;
  #marker = false;
  #possible: Micros = Number.NEGATIVE_INFINITY;
  #sentAt: Micros = Number.NEGATIVE_INFINITY;
  #debt: Bytes = 0;
  /** This round has sent something. */
  #charged = false;
  /** Time of the round that is being drained, NaN = none. */
  #round: Micros = Number.NaN;

  constructor(options: CcfbGeneratorOptions = {}) {
    this.#streamsMax = options.streamsMax ?? STREAMS_MAX;
    this.#share = options.feedbackShare ?? 0;
  }

  /** What we may send ourselves, whether that is what limits us, and what the layers below add to a message. */
  setSendRate(rate: BitsPerSecond, limited: boolean, overheadBytes: Bytes = OVERHEAD_BYTES): void {
    this.#overheadBytes = overheadBytes;
    this.#rateMax = limited && this.#share > 0 ? rate * this.#share : RATE_MAX;
  }

  /** Notes a packet: the 16 bits of its sequence number, whether it ends a frame, the 2 ECN bits of its IP header. Then call `advance`. */
  receive(ssrc: number, sequence: number, arrival: Micros, marker: boolean, ecn: number): void {
    if (marker) this.#marker = true;
    if (Number.isNaN(this.#firstArrival)) this.#firstArrival = arrival;
    this.#stream(ssrc).receive(sequence, arrival, ecn);
  }

  /** When `advance` wants to be called; Infinity while nothing waits to be reported. */
  deadline(): Micros {
    if (Number.isNaN(this.#firstArrival)) return Number.POSITIVE_INFINITY;
    return this.#marker ? this.#possible : Math.max(this.#possible, this.#firstArrival + MARKER_WAIT);
  }

  /** Begins a round of reports when it is time; then drain `report`. */
  advance(now: Micros): void {
    if (!this.#due(now)) return;
    this.#marker = false;
    this.#firstArrival = Number.NaN;
    this.#round = now;
    this.#charged = false;
    const paid = this.#sentAt === Number.NEGATIVE_INFINITY ? 0 : ((now - this.#sentAt) * this.#rateMax) / 8e6;
    this.#debt = Math.max(0, this.#debt - paid);
    this.#sentAt = now;
    // An empty round waits too: packets that could not be told of must not make every call a round.
    this.#possible = now + INTERVAL_MIN;
    for (const stream of this.#streams) stream.settle();
  }

  /** Asked for each packet, hence without making a number of the deadline. */
  #due(now: Micros): boolean {
    return now >= this.#possible && (this.#marker ? !Number.isNaN(this.#firstArrival) : now >= this.#firstArrival + MARKER_WAIT);
  }

  /** The next message of this round; false when there is none. */
  report(into: CcfbReport): boolean {
    into.length = 0;
    if (Number.isNaN(this.#round)) return false;
    if (this.#overspent) return this.#postpone();
    into.reportTime = this.#round;
    let bytes = MESSAGE_BYTES;
    let streams = 0;
    for (const stream of this.#streams) {
      if (!stream.pending || into.length === into.capacity || streams === REPORT_STREAMS_MAX) continue;
      const count = this.#tell(stream, into);
      bytes += STREAM_BYTES + ((count * 2 + 3) & ~3);
      streams++;
    }
    if (streams === 0) {
      this.#round = Number.NaN;
      return false;
    }
    this.#charge(bytes + this.#overheadBytes);
    return true;
  }

  /** This round has used up what all of the longest interval may carry: a sender that leaps ahead must not buy a flood of reports. */
  get #overspent(): boolean {
    return this.#charged && this.#debt * 8e6 > this.#rateMax * INTERVAL_MAX;
  }

  /** Ends the round although not everything was told; the rest is due when the next is possible. */
  #postpone(): false {
    this.#firstArrival = this.#round;
    this.#marker = true;
    this.#round = Number.NaN;
    return false;
  }

  /** Adds what is new of a stream, as far as there is room; answers how many packets. */
  #tell(stream: CcfbStream, into: CcfbReport): number {
    const { next } = stream;
    const end = Math.min(stream.end, next + into.capacity - into.length);
    for (let sequence = next; sequence < end; sequence++) {
      const arrival = stream.arrivals.at(sequence);
      const i = into.length++;
      into.ssrc[i] = stream.ssrc;
      into.sequence[i] = sequence & 0xffff;
      const received = arrival !== NOT_RECEIVED;
      into.arrivalOffset[i] = received ? into.reportTime - arrival : Number.NaN;
      into.ecn[i] = received ? stream.ecn(sequence) : 0;
    }
    stream.told(end);
    return end - next;
  }

  #charge(bytes: Bytes): void {
    this.#charged = true;
    this.#debt += bytes;
    const interval = this.#rateMax > 0 ? (this.#debt * 8e6) / this.#rateMax : INTERVAL_MAX;
    this.#possible = this.#sentAt + Math.min(Math.max(interval, INTERVAL_MIN), INTERVAL_MAX);
  }

  #stream(ssrc: number): CcfbStream {
    for (const stream of this.#streams) if (stream.ssrc === ssrc) return stream;
    let chosen: CcfbStream;
    if (this.#streams.length < this.#streamsMax) {
      chosen = new CcfbStream();
      this.#streams.push(chosen);
    } else {
      chosen = this.#streams.reduce((a, b) => (b.heard < a.heard ? b : a));
      this.stats.streamsEvicted++;
    }
    chosen.open(ssrc);
    return chosen;
  }
}
