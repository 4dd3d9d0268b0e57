/**
 * When the receiver reports arrivals, and what: the values of transport-wide feedback (TWCC); media/rtp writes them onto the wire.
 *
 *   receive(sequence, arrival) ─▶ arrival-map ─▶ advance: is it time? ─▶ report(into) … until it answers false
 *                                                                          base sequence, then each arrival
 *
 *   interval = 68 B / (5 % of our own send estimate), 50…250 ms, 100 ms before there is an estimate
 *
 * A report begins at the first sequence number that no report covered, so losses at its head are told of; a packet that comes late pulls the
 * next report's beginning back to itself and all behind it is told again, as long as it arrived within 500 ms.
 *
 * Source: reference/gcc.md I; libwebrtc f3ae3eb6 transport_sequence_number_feedback_generator.
 *
 * Deviations:
 *   - a report holds at most `reportPacketsMax` arrivals, so that it fits a datagram; libwebrtc fills up to 256 KiB
 *   - feedback on request (transport-cc-02) is not offered
 *   - `deadline` sleeps while there is nothing to report
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import { ARRIVALS_MAX, ArrivalMap, type ArrivalMapStats } from "./arrival-map.ts";

/** Tuning of libwebrtc. */
const INTERVAL_MIN: Micros = 50_000;
const INTERVAL_MAX: Micros = 250_000;
const INTERVAL_DEFAULT: Micros = 100_000;
const BACK_WINDOW: Micros = 500_000;
const RATE_SHARE = 0.05;
/** IPv4, UDP, SRTP and an average report. */
const REPORT_BYTES: Bytes = 68;

/** Tuning: 2 bytes of delta and a quarter of status each, under 1200 bytes. */
const REPORT_PACKETS_MAX = 500;
/** Spec: times of two neighbours in a report differ by a signed 16-bit count of 250 µs. */
const DELTA_TICK: Micros = 250;
const DELTA_MIN = -32_768;
const DELTA_MAX = 32_767;
/** Spec: a report covers at most this many sequence numbers. */
const STATUSES_MAX = 65_535;

export interface FeedbackGeneratorOptions {
  /** Most arrivals in one report; 500. */
  readonly reportPacketsMax?: number;
  /** Longest span of sequence numbers remembered, a power of two of at least 128; 32768. */
  readonly arrivalsMax?: number;
}

/** Arrivals of one report, made by the caller and reused. */
export class ArrivalReport {
  readonly capacity: number;
  /** First sequence number told of, unwrapped; it may be lost. */
  baseSequence = 0;
  /** Arrivals in the report; those of baseSequence…sequence[length−1] that do not stand in it are lost. */
  length = 0;
  /** Ascending, unwrapped. */
  readonly sequence: Float64Array;
  readonly arrival: Float64Array;

  constructor(capacity: number = REPORT_PACKETS_MAX) {
    this.capacity = capacity;
    this.sequence = new Float64Array(capacity);
    this.arrival = new Float64Array(capacity);
  }
}

export class FeedbackGenerator {
  readonly #arrivals: ArrivalMap;
  readonly #reportPacketsMax: number;
  #interval: Micros = INTERVAL_DEFAULT;
  /** First sequence number that waits to be reported; NaN before the first packet. */
  #start = Number.NaN;
  #next: Micros = Number.NEGATIVE_INFINITY;
  /** Reports up to here are due; the round began with it so that it ends. */
  #roundEnd = Number.NEGATIVE_INFINITY;

  constructor(options: FeedbackGeneratorOptions = {}) {
    this.#arrivals = new ArrivalMap(options.arrivalsMax ?? ARRIVALS_MAX);
    this.#reportPacketsMax = options.reportPacketsMax ?? REPORT_PACKETS_MAX;
  }

  get stats(): ArrivalMapStats {
    return this.#arrivals.stats;
  }

  /** Time between two rounds of reports. */
  get interval(): Micros {
    return this.#interval;
  }

  /** What we may send ourselves, from our own estimate: reports take 5 % of it. */
  setSendRate(rate: BitsPerSecond): void {
    const share = rate * RATE_SHARE;
    const interval = share > 0 ? (REPORT_BYTES * 8e6) / share : INTERVAL_MAX;
    this.#interval = Math.min(Math.max(interval, INTERVAL_MIN), INTERVAL_MAX);
  }

  /** Notes that a packet arrived; `sequence` is its transport sequence number, unwrapped. */
  receive(sequence: number, arrival: Micros): void {
    const arrivals = this.#arrivals;
    // Between two rounds nothing waits, so what can no longer be reported again may go.
    if (this.#start >= arrivals.end) arrivals.removeOld(sequence, arrival - BACK_WINDOW);
    if (!arrivals.add(sequence, arrival)) return;
    if (Number.isNaN(this.#start) || sequence < this.#start) this.#start = sequence;
    if (this.#start < arrivals.begin) this.#start = arrivals.begin;
  }

  /** Begins a round of reports when it is time; then drain `report`. */
  advance(now: Micros): void {
    if (now < this.#next) return;
    this.#next = now + this.#interval;
    this.#roundEnd = this.#arrivals.end;
  }

  /** When `advance` wants to be called; Infinity while nothing waits to be reported. */
  deadline(): Micros {
    return this.#start < this.#arrivals.end ? this.#next : Number.POSITIVE_INFINITY;
  }

  /** The next report of this round; false when there is none. */
  report(into: ArrivalReport): boolean {
    const arrivals = this.#arrivals;
    const end = Math.min(this.#roundEnd, arrivals.end);
    let sequence = arrivals.next(this.#start);
    if (!(sequence < end)) {
      // What comes late after this waits for the next round.
      this.#roundEnd = Number.NEGATIVE_INFINITY;
      return false;
    }
    // The gap before the first arrival cannot be told of in one report: only a peer that makes numbers up causes that.
    if (sequence - this.#start >= STATUSES_MAX) this.#start = sequence;
    const limit = Math.min(end, this.#start + STATUSES_MAX);
    const room = Math.min(into.capacity, this.#reportPacketsMax);
    let n = 0;
    let ticks = Math.floor(arrivals.at(sequence) / DELTA_TICK);
    while (sequence < limit && n < room) {
      const arrival = arrivals.at(sequence);
      const at = Math.floor(arrival / DELTA_TICK);
      if (at - ticks < DELTA_MIN || at - ticks > DELTA_MAX) break;
      into.sequence[n] = sequence;
      into.arrival[n++] = arrival;
      ticks = at;
      sequence = arrivals.next(sequence + 1);
    }
    into.length = n;
    into.baseSequence = this.#start;
    this.#start = into.sequence[n - 1]! + 1;
    return true;
  }

  /** Takes back what a report said from `sequence` on, when the writer had no room for it: the next report begins there. */
  retract(sequence: number): void {
    if (sequence < this.#start) this.#start = sequence;
  }
}
