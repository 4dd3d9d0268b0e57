/**
 * Segments of which further copies are to follow the resent one. Where loss comes in runs, a resent copy is often lost like the first, and waiting for that
 * costs another round trip: the echo follows it behind the run. Where little is sent the run may last longer than that: then there is a second echo.
 */
import { type Bytes, type Millis, NEVER, type Seq32 } from "../base/units.ts";
import type { FlightStats } from "./flight-stats.ts";
import { FLYING, type FlightTable } from "./flight-table.ts";

/** Tuning: how long after the copy before, and how many at once; more are not planned. A run in sparse traffic takes a tenth of a second. */
const ECHO_MS: Millis = 25;
const SECOND_ECHO_MS: Millis = 90;
const ECHOES = 64;
/** Losses come in runs from this mean one on; then there are echoes, unless the path was filled for so long. */
export const RUN_LONG = 2;
const FILLED_MS: Millis = 1000;
/** Where little is sent, from this share of lost transmissions on a resent segment has one, however short the runs are. */
const ECHO_LOSS = 0.08;
/** Where no more is in flight, a resent segment has two: delay is worth more there than bytes. */
export const SPARSE_BYTES: Bytes = 16_384;

const NONE = -1;

/** A ring. */
class Planned {
  readonly sn = new Uint32Array(ECHOES);
  readonly at = new Float64Array(ECHOES);
  /** Which transmission of its segment the copy would be. */
  readonly nth = new Uint8Array(ECHOES);
  /** Echoes that went before it, 0 or 1. */
  readonly gone = new Uint8Array(ECHOES);
}

export class Echoes {
  /** Made with the first echo: most paths want none. */
  #planned: Planned | undefined;
  #head = 0;
  #length = 0;
  #goneBefore = 0;
  #runsBefore = 0;
  #madeBefore = 0;
  /** The copy about to leave is its segment's first or second echo, 0: none. */
  #echo = 0;

  /**
   * A segment is sent again, as transmission `nth` − 1: another copy follows where that is worth its bytes. `stats` of the path, which was filled for so long.
   */
  follow(now: Millis, sn: Seq32, nth: number, { transmissions, gone, runs }: FlightStats, filledMs: Millis, inFlight: Bytes): void {
    const before = this.#echo;
    this.#echo = 0;
    if (before > 1 || (before > 0 && inFlight > SPARSE_BYTES)) return;
    const lossy = before === 0 && inFlight <= SPARSE_BYTES && gone - this.#goneBefore >= ECHO_LOSS * (transmissions - this.#madeBefore);
    if (lossy || (this.run(gone, runs) >= RUN_LONG && filledMs <= FILLED_MS)) this.#plan(now, sn, nth, before);
  }

  /** How many transmissions are lost one behind another, on average. */
  run(gone: number, runs: number): number {
    const since = runs - this.#runsBefore;
    return since > 0 ? (gone - this.#goneBefore) / since : 0;
  }

  /** Another path: those are forgotten that were planned, and the losses so far. */
  moved(made: number, gone: number, runs: number): void {
    this.#length = 0;
    this.#madeBefore = made;
    this.#goneBefore = gone;
    this.#runsBefore = runs;
  }

  /** Nothing is in flight: what was planned is not wanted any more. */
  rest(): void {
    this.#planned = undefined;
    this.#head = 0;
    this.#length = 0;
  }

  /** `nth`: which transmission of its segment the copy would be; `gone`: echoes that went before it, 0 or 1. */
  #plan(now: Millis, sn: Seq32, nth: number, gone: number): void {
    if (this.#length === ECHOES) return;
    this.#planned ??= new Planned();
    const planned = this.#planned;
    const i = (this.#head + this.#length++) % ECHOES;
    planned.sn[i] = sn;
    planned.nth[i] = nth;
    planned.gone[i] = gone;
    // They leave in the order in which they were planned.
    const before = this.#length > 1 ? planned.at[(i + ECHOES - 1) % ECHOES]! : 0;
    planned.at[i] = Math.max(before, now + (gone > 0 ? SECOND_ECHO_MS : ECHO_MS));
  }

  /** The segment of which another copy is to leave now, −1 for none. */
  next(now: Millis, table: FlightTable): number {
    for (; this.#length > 0 && this.#planned!.at[this.#head]! <= now; this.#drop()) {
      const sn = this.#planned!.sn[this.#head]!;
      const f = sn & table.mask;
      if (table.sn[f] === sn && table.state[f] === FLYING && table.tries[f] === this.#planned!.nth[this.#head]! - 1) return sn;
    }
    return NONE;
  }

  /** The first one is sent. */
  sent(): void {
    this.#echo = this.#planned!.gone[this.#head]! + 1;
    this.#drop();
  }

  #drop(): void {
    this.#head = (this.#head + 1) % ECHOES;
    this.#length--;
  }

  /** When the next one comes due; those that are due wait for the pacer. */
  deadline(now: Millis): Millis {
    const at = this.#length > 0 ? this.#planned!.at[this.#head]! : NEVER;
    return at > now ? at : NEVER;
  }
}
