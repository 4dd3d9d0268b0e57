/**
 * Builds transport feedback (its wire format stands in transport-feedback.ts).
 *
 *   begin(base, time of the first arrival) ─▶ add(sequence, arrival) … ─▶ write(into the caller's buffer)
 *                                              false: the packet is full, or its delta does not fit: write, and begin the next report
 *
 * The reference time is the first arrival rounded down to 64 ms, and deltas count from there in whole ticks of one grid, so rounding never adds
 * up over the packets of a report nor from report to report.
 *
 * Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3; reference gcc.md sections I and J (what others get wrong).
 */
import { assert } from "../../base/assert.ts";
import type { Bytes, Micros } from "../../base/units.ts";
import { markPadding, putFeedbackHeader, RTCP_BYTES_MAX, RTPFB } from "./rtcp-header.ts";
import { LARGE, SMALL, StatusPacker } from "./status-chunk.ts";
import {
  DELTA_MICROS,
  FMT_TRANSPORT_FEEDBACK,
  STATUS_COUNT_MAX,
  TICKS_PER_REFERENCE,
  TRANSPORT_FEEDBACK_HEADER_BYTES,
} from "./transport-feedback.ts";

const CHUNK_BYTES: Bytes = 2;
/** Room for the first arrival, however many were lost before it. */
const BYTES_MIN: Bytes = 44;
const DELTA_MIN = -32_768;
const DELTA_MAX = 32_767;
const SMALL_DELTA_MAX = 255;

export interface TransportFeedbackOptions {
  /** Longest report, padding included, 44…262,144; 1200. */
  readonly bytesMax?: Bytes;
}

export interface TransportFeedbackStats {
  /** Packets that `add` refused: no room left in the report, or too far from the one before in sequence or time. */
  full: number;
  gaps: number;
}

export class TransportFeedbackWriter {
  readonly stats: TransportFeedbackStats = { full: 0, gaps: 0 };
  readonly bytesMax: Bytes;
  readonly #packer = new StatusPacker();
  /** Closed chunks, and deltas as they go onto the wire. */
  readonly #chunks: Uint16Array;
  readonly #deltas: DataView;
  #chunksLength = 0;
  #deltaBytes: Bytes = 0;
  #base = 0;
  #statusCount = 0;
  #reference = 0;
  #ticks = 0;

  constructor(options: TransportFeedbackOptions = {}) {
    this.bytesMax = (options.bytesMax ?? 1200) & ~3;
    assert(this.bytesMax >= BYTES_MIN && this.bytesMax <= RTCP_BYTES_MAX, `transport feedback of ${this.bytesMax} bytes`);
    const room = this.bytesMax - TRANSPORT_FEEDBACK_HEADER_BYTES;
    this.#chunks = new Uint16Array(room / CHUNK_BYTES);
    this.#deltas = new DataView(new ArrayBuffer(room));
  }

  /** Packets told of so far, lost ones included. */
  get statusCount(): number {
    return this.#statusCount;
  }

  /** First sequence number that was not told of. */
  get nextSequence(): number {
    return this.#base + this.#statusCount;
  }

  /**
   * Begins a report at `base`, an unwrapped sequence number: the first that was not reported yet, less than 32,768 below the first that arrived.
   * `arrival` is the time of that first arrival on a monotonic clock.
   */
  begin(base: number, arrival: Micros): void {
    this.#packer.clear();
    this.#chunksLength = 0;
    this.#deltaBytes = 0;
    this.#base = base;
    this.#statusCount = 0;
    this.#reference = Math.floor(ticksOf(arrival) / TICKS_PER_REFERENCE);
    this.#ticks = this.#reference * TICKS_PER_REFERENCE;
  }

  /** Tells of an arrival; sequence numbers ascend, those passed over are lost. False: nothing was taken, write and begin anew. */
  add(sequence: number, arrival: Micros): boolean {
    const ticks = ticksOf(arrival);
    const delta = ticks - this.#ticks;
    const lost = sequence - this.nextSequence;
    if (lost < 0 || lost >= STATUS_COUNT_MAX - this.#statusCount || delta < DELTA_MIN || delta > DELTA_MAX) {
      this.stats.gaps++;
      return false;
    }
    const symbol = delta >= 0 && delta <= SMALL_DELTA_MAX ? SMALL : LARGE;
    // The open chunk is closed at most twice by what follows, apart from full runs of lost packets.
    const chunks = this.#chunksLength + 3 + Math.floor(lost / 8191);
    if (chunks * CHUNK_BYTES + this.#deltaBytes + symbol > this.#deltas.byteLength) {
      this.stats.full++;
      return false;
    }
    this.#addLost(lost);
    if (!this.#packer.takes(symbol)) this.#closeChunk();
    this.#packer.add(symbol);
    if (symbol === SMALL) this.#deltas.setUint8(this.#deltaBytes, delta);
    else this.#deltas.setInt16(this.#deltaBytes, delta);
    this.#deltaBytes += symbol;
    this.#statusCount += lost + 1;
    this.#ticks = ticks;
    return true;
  }

  /**
   * Writes the report; `feedbackCount` counts reports, modulo 256. Answers its length, a multiple of 4; 0 when it would pass `limit` or
   * nothing was added. It stays as it is until `begin`.
   */
  write(view: DataView, at: number, limit: number, senderSsrc: number, mediaSsrc: number, feedbackCount: number): Bytes {
    if (this.#statusCount === 0) return 0;
    const content = TRANSPORT_FEEDBACK_HEADER_BYTES + (this.#chunksLength + 1) * CHUNK_BYTES + this.#deltaBytes;
    const bytes = (content + 3) & ~3;
    if (bytes > limit - at) return 0;
    putFeedbackHeader(view, at, FMT_TRANSPORT_FEEDBACK, RTPFB, bytes, senderSsrc, mediaSsrc);
    view.setUint16(at + 12, this.#base);
    view.setUint16(at + 14, this.#statusCount);
    view.setUint32(at + 16, (this.#reference % 0x1000000) * 256 + (feedbackCount & 0xff));
    let to = at + TRANSPORT_FEEDBACK_HEADER_BYTES;
    for (let i = 0; i < this.#chunksLength; i++, to += CHUNK_BYTES) view.setUint16(to, this.#chunks[i]!);
    view.setUint16(to, this.#packer.last);
    to += CHUNK_BYTES;
    for (let i = 0; i < this.#deltaBytes; i++) view.setUint8(to++, this.#deltas.getUint8(i));
    if (bytes === content) return bytes;
    while (to < at + bytes) view.setUint8(to++, 0);
    view.setUint8(at + bytes - 1, bytes - content);
    markPadding(view, at);
    return bytes;
  }

  #addLost(count: number): void {
    let left = count - this.#packer.addLost(count);
    while (left > 0) {
      this.#closeChunk();
      left -= this.#packer.addLost(left);
    }
  }

  #closeChunk(): void {
    this.#chunks[this.#chunksLength++] = this.#packer.close();
  }
}

/** Whole ticks of 250 µs, to the nearest. */
function ticksOf(arrival: Micros): number {
  return Math.round(arrival / DELTA_MICROS);
}
