/**
 * REBUILT: how many segments an end has rebuilt from parity, told to who sent them. What parity replaced is acknowledged like what arrived, mostly in one packet with what
 * came beside it: where little is sent a sender sees less than half of what its path loses, and plans too little parity.
 *
 *    0      4     5      6       10
 *   ┌──────┬─────┬──────┬───────┐
 *   │ conv │ 108 │ 11   │ count │      since the session began, modulo 2^32
 *   └──────┴─────┴──────┴───────┘
 *
 * Source: our own.
 */
import { seqDiff } from "../base/seq.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";

export const REBUILT = 11;
const REBUILT_BYTES: Bytes = EXTENSION_HEADER_BYTES + 4;

/** Tuning: no more often than this, and only what has changed. */
const INTERVAL_MS: Millis = 200;
/** No path has more rebuilt between two reports: a forgery, or a peer's mistake. */
const NEWS_MAX = 65_535;

/** At the end that rebuilds. */
export class RebuiltCount {
  /** The peer plans by it. */
  wanted = false;
  #count = 0;
  #told = 0;
  #due = false;
  #at: Millis = Number.NEGATIVE_INFINITY;

  /** A segment was rebuilt. */
  add(): void {
    this.#count = (this.#count + 1) >>> 0;
  }

  /** A datagram came. */
  received(now: Millis): void {
    if (!this.wanted || this.#count === this.#told || now - this.#at < INTERVAL_MS) return;
    this.#at = now;
    this.#due = true;
  }

  /** Writes the report that is due to view[at…); answers its length, 0 for none. */
  transmit(view: DataView, at: number, conv: number): Bytes {
    if (!this.#due) return 0;
    this.#due = false;
    this.#told = this.#count;
    writeHeader(view, at, conv, REBUILT);
    view.setUint32(at + EXTENSION_HEADER_BYTES, this.#count, true);
    return REBUILT_BYTES;
  }
}

/** At the end that plans. */
export class RebuiltNews {
  errors = 0;
  #count = 0;
  #untaken = 0;

  /** A REBUILT in view[start…end): how many more than was known, 0 for an old one or a damaged one. */
  receive(view: DataView, start: number, end: number): number {
    if (end - start !== REBUILT_BYTES) {
      this.errors++;
      return 0;
    }
    const news = seqDiff(view.getUint32(start + EXTENSION_HEADER_BYTES, true), this.#count);
    if (news > NEWS_MAX) this.errors++;
    if (news <= 0 || news > NEWS_MAX) return 0;
    this.#count = (this.#count + news) >>> 0;
    this.#untaken += news;
    return news;
  }

  /** What came since the last call. */
  take(): number {
    const n = this.#untaken;
    this.#untaken = 0;
    return n;
  }
}
