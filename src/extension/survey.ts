/**
 * The end that is asked how a way is: counts what comes of a series, says so, and sends a series back.
 *
 *   LOAD ─▶ tally of the series          ASK ─▶ TALLY, and the LOADs that are wanted, spread over their time
 *
 * What is sent back is at most three times as much as has come and ALLOWANCE_BYTES (RFC 9000 8.1), so that nobody is flooded by who pretends to be him; and
 * never faster than it was asked for. One series at a time.
 */
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { LoadSeries } from "./load-series.ts";
import { ASK, LOAD, LOAD_BYTES_MIN, readAsk, readLoad, TALLY_BYTES, writeTally } from "./survey-message.ts";
import { Tally } from "./tally.ts";

/** Limits. */
const ALLOWANCE_BYTES: Bytes = 65_536;
const ALLOWANCE_FACTOR = 3;
const AFTER_SECONDS_MAX = 900;
const ANSWERS_MAX = 8;

export class Survey {
  errors = 0;
  /** Packets that were asked for and not sent: more than what came allows. */
  refused = 0;
  readonly #conv: number;
  readonly #packetBytesMax: Bytes;
  #series = -1;
  #tally = new Tally();
  readonly #answers: number[] = [];
  #came: Bytes = 0;
  #went: Bytes = 0;
  #wanted: LoadSeries | undefined;
  #due = 0;
  #now: Millis = 0;

  /** Packets of at most `packetBytesMax`. */
  constructor(conv: number, packetBytesMax: Bytes) {
    this.#conv = conv;
    this.#packetBytesMax = packetBytesMax;
  }

  receive(now: Millis, type: number, view: DataView, start: number, end: number): void {
    this.#came += end - start;
    if (type === LOAD) this.#load(now, view, start, end);
    else if (type === ASK) this.#ask(now, view, start, end);
    else this.errors++;
  }

  advance(now: Millis): void {
    if (this.#wanted === undefined) return;
    this.#now = now;
    this.#due = this.#wanted.due(now);
  }

  deadline(): Millis {
    return this.#wanted?.deadline() ?? NEVER;
  }

  /** Writes the next message to bytes[at…); answers its length, 0 when there is none. */
  transmit(bytes: Uint8Array, view: DataView, at: number): Bytes {
    const answer = this.#answers.length > 0 ? this.#answers.shift() : undefined;
    if (answer !== undefined) {
      this.#went += TALLY_BYTES;
      return writeTally(view, at, this.#conv, answer, Math.max(0, this.#series), this.#tally.counted);
    }
    const wanted = this.#wanted;
    if (wanted === undefined || wanted.sent >= this.#due) return 0;
    const { size, packets } = wanted.plan;
    if (this.#went + size > ALLOWANCE_FACTOR * this.#came + ALLOWANCE_BYTES) {
      this.refused += packets - wanted.sent;
      this.#wanted = undefined;
      return 0;
    }
    this.#went += size;
    const length = wanted.write(this.#now, bytes, view, at, this.#conv);
    if (wanted.isOver) this.#wanted = undefined;
    return length;
  }

  #load(now: Millis, view: DataView, start: number, end: number): void {
    const load = readLoad(view, start, end);
    if (load === undefined) {
      this.errors++;
      return;
    }
    this.#begin(load.series);
    this.#tally.receive(now, load);
  }

  #ask(now: Millis, view: DataView, start: number, end: number): void {
    const ask = readAsk(view, start, end);
    if (ask === undefined || ask.afterSeconds > AFTER_SECONDS_MAX || this.#answers.length >= ANSWERS_MAX) {
      this.errors++;
      return;
    }
    this.#begin(ask.series);
    this.#answers.push(ask.n);
    if (ask.packets === 0) return;
    const size = Math.min(Math.max(ask.size, LOAD_BYTES_MIN), this.#packetBytesMax);
    const { series, packets, overMs } = ask;
    this.#wanted = new LoadSeries({ series, size, packets, overMs, from: now + ask.afterSeconds * 1000 });
    this.#due = 0;
  }

  #begin(series: number): void {
    if (series === this.#series) return;
    this.#series = series;
    this.#tally = new Tally();
  }
}
