/**
 * How fast a path delivers what a peer has sent at once: bytes of a burst between its first arrivals and its last, headers and parity included. What was sent
 * over nearly as long as it took to arrive says nothing.
 */
import { seqDiff } from "../base/seq.ts";
import type { Bytes, Millis } from "../base/units.ts";

/** Tuning: a burst was sent within so long, arrived over so long at least, and so many times longer. */
const SENT_MS: Millis = 20;
const ARRIVED_MS: Millis = 4;
const SPREAD = 3;
const SAMPLE_SHARE = 1 / 4;
/** Segments after which older ones count half for what one takes. */
const SEGMENTS_REMEMBERED = 256;

export class LineRate {
  #rate = 0;
  /** While no burst has told it as a whole: by the first part of one. */
  #seen = 0;
  /** What is to be added to a datagram: IP, UDP and what the cipher took off. */
  readonly #overhead: Bytes;
  #bytes: Bytes = 0;
  #segments = 0;
  /** The burst that is arriving: its first time stamp and arrival, and what came behind the first batch up to the last segment of it. */
  #ts = 0;
  #at: Millis = -1;
  #sent: Millis = 0;
  #since: Bytes = 0;
  #arrived: Bytes = 0;
  #lastAt: Millis = 0;

  constructor(overhead: Bytes) {
    this.#overhead = overhead;
  }

  /** Bytes a millisecond; 0: not known yet. */
  get rate(): number {
    return this.#rate > 0 ? this.#rate : this.#seen;
  }

  /** Bytes that a segment takes on the path with its share of parity and of what is sent again. */
  get segmentBytes(): Bytes {
    return this.#segments < 1 ? 0 : this.#bytes / this.#segments;
  }

  /** A datagram has come, before what is in it. */
  datagram(now: Millis, length: Bytes): void {
    this.#bytes += length + this.#overhead;
    if (now > this.#at) this.#since += length + this.#overhead;
  }

  /** A segment that was in it, with its time stamp. */
  segment(now: Millis, ts: number): void {
    const after = seqDiff(ts, this.#ts);
    if (this.#at < 0 || after > SENT_MS || after < 0) {
      this.#take();
      this.#ts = ts;
      this.#at = now;
      this.#sent = 0;
      this.#since = 0;
      this.#arrived = 0;
    } else {
      this.#sent = Math.max(this.#sent, after);
      this.#arrived = this.#since;
    }
    this.#lastAt = now;
    // A burst may tell nothing by its end: its sender had more in the meantime.
    if (this.#rate === 0) this.#seen = this.#sample || this.#seen;
  }

  /** So many segments are there that were not. */
  stored(n: number): void {
    this.#segments += n;
    if (this.#segments < SEGMENTS_REMEMBERED) return;
    this.#segments /= 2;
    this.#bytes /= 2;
  }

  #take(): void {
    const sample = this.#sample;
    if (sample > 0) this.#rate += this.#rate === 0 ? sample : (sample - this.#rate) * SAMPLE_SHARE;
  }

  /** Of the burst that arrives. */
  get #sample(): number {
    const took = this.#lastAt - this.#at;
    return this.#at < 0 || took < ARRIVED_MS || took < SPREAD * this.#sent ? 0 : this.#arrived / took;
  }
}
