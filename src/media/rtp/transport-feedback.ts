/**
 * Transport-wide congestion control feedback: when each packet of a transport arrived.
 *
 *   feedback header, RTPFB, FMT 15 (rtcp-header.ts), then
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     base sequence number      |      packet status count      |
 *   |          reference time, in 64 ms             | fb pkt. count |
 *   |    chunk (status-chunk.ts)    |           chunk               …
 *   |   delta, in 250 µs: 1 byte unsigned or 2 signed per arrival   …
 *   |  zeros to the next multiple of 4, and P if there are any      |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 *   arrival n = reference time · 64 ms + Σ deltas up to n
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3; reference gcc.md section I.
 *
 * Deviations:
 *   - the reserved symbol 3 is damage, as in libwebrtc
 *   - no deltas at all is a report without times (version 02 of the extension); deltas cut short are damage, where libwebrtc reads such a
 *     report as one without times
 *   - the reference time is called signed by the draft; it wraps every 12.4 days, so its sign means nothing
 */
import { assert } from "../../base/assert.ts";
import { SequenceUnwrapper } from "../../base/sequence-unwrapper.ts";
import type { Bytes, Micros } from "../../base/units.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { FEEDBACK_HEADER_BYTES, RTPFB } from "./rtcp-header.ts";
import { LARGE, LOST, SMALL, StatusChunk } from "./status-chunk.ts";

// Spec
export const FMT_TRANSPORT_FEEDBACK = 15;
/** Both headers. */
export const TRANSPORT_FEEDBACK_HEADER_BYTES: Bytes = FEEDBACK_HEADER_BYTES + 8;
export const DELTA_MICROS: Micros = 250;
export const TICKS_PER_REFERENCE = 256;
const CHUNK_BYTES: Bytes = 2;

// Tuning
/** Packets in one report, at most 65,535: what spans more than half of the sequence numbers could not be put in its place. */
export const STATUS_COUNT_MAX = 32_768;

export interface TransportFeedbackReaderOptions {
  /** Most packets that one report may tell of, 1…65,535: forty bytes can tell of all as lost, so this bounds the work; 32,768. */
  readonly statusCountMax?: number;
}

export interface TransportFeedbackReaderStats {
  reports: number;
  /** Reports dropped because they told of more packets than the limit. */
  tooLong: number;
}

/** `read`, then `next` until it answers false. One reader a transport: it remembers where sequence and time have got to. */
export class TransportFeedback {
  readonly stats: TransportFeedbackReaderStats = { reports: 0, tooLong: 0 };
  senderSsrc = 0;
  mediaSsrc = 0;
  /** Packets told of, at least 1, and how many of them arrived. */
  statusCount = 0;
  receivedCount = 0;
  /** Counts the reports, 0…255: a gap is a lost report. */
  feedbackCount = 0;
  /** False when the report says only which packets arrived. */
  timed = false;
  /** The packet: its sequence number, unwrapped since the first report. */
  sequence = 0;
  received = false;
  /** When it arrived, on the receiver's clock, unwrapped since the first report; the one before when it did not arrive. */
  arrival: Micros = 0;
  readonly #statusCountMax: number;
  readonly #sequences = new SequenceUnwrapper(16);
  readonly #references = new SequenceUnwrapper(24);
  readonly #chunk = new StatusChunk();
  #statusesLeft = 0;
  #nextChunk = 0;
  #nextDelta = 0;
  #ticks = 0;

  constructor(options: TransportFeedbackReaderOptions = {}) {
    this.#statusCountMax = options.statusCountMax ?? STATUS_COUNT_MAX;
  }

  /** Takes the current packet of `rtcp`; false when damaged or too long: then nothing of it was used. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === RTPFB && rtcp.count === FMT_TRANSPORT_FEEDBACK, "not transport feedback");
    const { view, start, end } = rtcp;
    this.#statusesLeft = 0;
    this.stats.reports++;
    if (end - start < TRANSPORT_FEEDBACK_HEADER_BYTES + CHUNK_BYTES) return rtcp.refuse();
    const statusCount = view.getUint16(start + 14);
    if (statusCount > this.#statusCountMax) {
      this.stats.tooLong++;
      return false;
    }
    const chunks = start + TRANSPORT_FEEDBACK_HEADER_BYTES;
    const sound = statusCount > 0 && this.#survey(view, chunks, end, statusCount);
    this.#statusesLeft = 0;
    this.#chunk.left = 0;
    if (!sound) return rtcp.refuse();
    this.senderSsrc = view.getUint32(start + 4);
    this.mediaSsrc = view.getUint32(start + 8);
    this.feedbackCount = rtcp.bytes[start + 19]!;
    this.statusCount = statusCount;
    this.sequence = this.#sequences.unwrap(view.getUint16(start + 12)) - 1;
    this.#ticks = this.#references.unwrap(view.getUint32(start + 16) >>> 8) * TICKS_PER_REFERENCE;
    this.arrival = this.#ticks * DELTA_MICROS;
    this.received = false;
    this.#statusesLeft = statusCount;
    this.#nextChunk = chunks;
    return true;
  }

  /** Goes to the next packet; false when all were told. `rtcp` is still at the report that was read. */
  next(rtcp: RtcpCompound): boolean {
    if (this.#statusesLeft === 0) return false;
    const chunk = this.#chunk;
    while (chunk.left === 0) this.#openChunk(rtcp.view);
    const symbol = chunk.symbol();
    this.#statusesLeft--;
    this.sequence++;
    this.received = symbol !== LOST;
    if (!this.timed || symbol === LOST) return true;
    if (symbol === SMALL) this.#ticks += rtcp.bytes[this.#nextDelta]!;
    else this.#ticks += rtcp.view.getInt16(this.#nextDelta);
    this.#nextDelta += symbol;
    this.arrival = this.#ticks * DELTA_MICROS;
    return true;
  }

  /** Goes through the chunks without the deltas: where those begin, how many there should be, and whether they are there. */
  #survey(view: DataView, chunks: number, end: number, statusCount: number): boolean {
    const chunk = this.#chunk;
    let received = 0;
    let deltaBytes = 0;
    this.#nextChunk = chunks;
    this.#statusesLeft = statusCount;
    while (this.#statusesLeft > 0) {
      if (CHUNK_BYTES > end - this.#nextChunk) return false;
      this.#openChunk(view);
      const { run } = chunk;
      this.#statusesLeft -= chunk.left;
      if (run >= 0) {
        if (run > LARGE) return false;
        if (run !== LOST) received += chunk.left;
        deltaBytes += run * chunk.left;
        chunk.left = 0;
      }
      while (chunk.left > 0) {
        const symbol = chunk.symbol();
        if (symbol > LARGE) return false;
        if (symbol !== LOST) received++;
        deltaBytes += symbol;
      }
    }
    this.#nextDelta = this.#nextChunk;
    const left = end - this.#nextDelta;
    // A report without times may end in two bytes that only fill the last word.
    const bare = left === 0 || (left === 2 && view.getUint16(this.#nextDelta) === 0);
    if (deltaBytes > left && !bare) return false;
    this.receivedCount = received;
    this.timed = deltaBytes <= left;
    return true;
  }

  #openChunk(view: DataView): void {
    this.#chunk.open(view.getUint16(this.#nextChunk), this.#statusesLeft);
    this.#nextChunk += CHUNK_BYTES;
  }
}
