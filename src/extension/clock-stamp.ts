/**
 * STAMP: the clock of an end that receives much, told beside its acknowledgements, so that the sender can tell a queue on the way there from one on the way back. What an
 * upload of somebody else piles up before the acknowledgements is no reason to send less.
 *
 *    0      4     5      6       10
 *   ┌──────┬─────┬──────┬───────┐
 *   │ conv │ 108 │ 10   │ clock │      tenths of a millisecond, any beginning
 *   └──────┴─────┴──────┴───────┘
 *
 *   the sender:  return(stamp) = arrival − clock           its least value: the way back without a queue, and the difference of the clocks
 *                queue = return(stamp) − least             least creeps up by as much as clocks may drift apart
 *
 * Source: RFC 6817 section 3.4.2 (LEDBAT) measures the way there so; here it is the way back, and the rest of the round trip is the way there.
 */
import { seqDiff } from "../base/seq.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { EXTENSION_HEADER_BYTES, writeHeader } from "./header.ts";

export const STAMP = 10;
const STAMP_BYTES: Bytes = EXTENSION_HEADER_BYTES + 4;

/** Tuning: a stamp for so much that came, and no more often. */
const BYTES_EACH: Bytes = 16_384;
const INTERVAL_MS: Millis = 20;
/** What was said longer ago says nothing of now. */
const FRESH_MS: Millis = 200;
/** Clocks drift apart by no more, 100 ppm. */
const DRIFT = 1e-4;
const TICKS = 10;

/** When to stamp, at the end that receives. */
export class Stamps {
  /** The peer goes by them. */
  wanted = false;
  #bytes: Bytes = 0;
  #due = false;
  #at: Millis = Number.NEGATIVE_INFINITY;

  /** A datagram came. */
  received(now: Millis, bytes: Bytes): void {
    if (!this.wanted) return;
    this.#bytes += bytes;
    if (this.#bytes < BYTES_EACH || now - this.#at < INTERVAL_MS) return;
    this.#bytes = 0;
    this.#at = now;
    this.#due = true;
  }

  /** Writes the stamp that is due to view[at…); answers its length, 0 for none. */
  transmit(view: DataView, at: number, conv: number): Bytes {
    if (!this.#due) return 0;
    this.#due = false;
    writeHeader(view, at, conv, STAMP);
    view.setUint32(at + EXTENSION_HEADER_BYTES, ticksOf(this.#at), true);
    return STAMP_BYTES;
  }
}

/** The way back, at the end that sends. */
export class ReturnPath {
  errors = 0;
  /** First difference of the clocks, from which others are counted: they may have any beginning. */
  #reference = 0;
  /** When the last stamp came, its return, and the least that was. */
  #at: Millis = Number.NEGATIVE_INFINITY;
  #back: Millis = 0;
  #least: Millis = 0;

  /** A STAMP in view[start…end). */
  receive(now: Millis, view: DataView, start: number, end: number): void {
    if (end - start !== STAMP_BYTES) {
      this.errors++;
      return;
    }
    const difference = seqDiff(ticksOf(now), view.getUint32(start + EXTENSION_HEADER_BYTES, true));
    const first = this.#at === Number.NEGATIVE_INFINITY;
    if (first) this.#reference = difference;
    this.#back = seqDiff(difference, this.#reference) / TICKS;
    this.#least = first ? this.#back : Math.min(this.#back, this.#least + (now - this.#at) * DRIFT);
    this.#at = now;
  }

  /** How long what comes back now has waited; 0 when nobody knows. */
  queue(now: Millis): Millis {
    return now - this.#at > FRESH_MS ? 0 : this.#back - this.#least;
  }

  /** Another way: nothing is known of it. */
  moved(): void {
    this.#at = Number.NEGATIVE_INFINITY;
  }
}

function ticksOf(now: Millis): number {
  return Math.floor(now * TICKS) >>> 0;
}
