/**
 * When each packet arrived, by transport sequence number: the receiver's memory between two feedback messages.
 *
 *     begin                                  end
 *       ▼                                     ▼
 *   ┌───┬───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐
 *   │ t │ – │ t │ t │ – │ – │ t │ t │ t │ t │   │     t = arrival, – = not received (yet)
 *   └───┴───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *
 * A ring over sequence numbers, a power of two long, that grows to `packetsMax` and no further: a jump ahead drops what is too old, a packet
 * too far behind is refused.
 *
 * Source: reference/gcc.md I (TWCC) and P; libwebrtc f3ae3eb6 remote_bitrate_estimator/packet_arrival_map.
 *
 * Deviations: memory that was taken is kept, where libwebrtc shrinks the ring again.
 */
import { assert } from "../base/assert.ts";
import type { Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const CAPACITY_MIN = 128;
export const ARRIVALS_MAX = 32_768;

/** Arrival time of a packet that has not arrived. */
export const NOT_RECEIVED: Micros = Number.NEGATIVE_INFINITY;

export interface ArrivalMapStats {
  /** Packets refused because they lie further behind the newest than the map reaches. */
  tooOld: number;
  /** Limit hit: sequence numbers, arrived or not, dropped because a newer packet needed their room. */
  overflowed: number;
}

export class ArrivalMap {
  readonly packetsMax: number;
  readonly stats: ArrivalMapStats = { tooOld: 0, overflowed: 0 };
  /** The map covers sequence numbers begin…end−1; empty when they are equal. */
  begin = 0;
  end = 0;
  #started = false;
  #times: Float64Array;
  #mask: number;

  /** `packetsMax`: longest span of sequence numbers, a power of two of at least 128. */
  constructor(packetsMax = ARRIVALS_MAX) {
    assert(packetsMax >= CAPACITY_MIN && (packetsMax & (packetsMax - 1)) === 0, `packetsMax ${packetsMax}: a power of two from 128 up`);
    this.packetsMax = packetsMax;
    this.#times = new Float64Array(CAPACITY_MIN);
    this.#mask = CAPACITY_MIN - 1;
  }

  get empty(): boolean {
    return this.begin === this.end;
  }

  /** Forgets all, also where it was. */
  clear(): void {
    this.#started = false;
    this.begin = 0;
    this.end = 0;
  }

  /** Arrival of a packet, NOT_RECEIVED when it has not arrived or lies outside the map. */
  at(sequence: number): Micros {
    if (sequence < this.begin || sequence >= this.end) return NOT_RECEIVED;
    return this.#times[sequence & this.#mask]!;
  }

  has(sequence: number): boolean {
    return sequence >= this.begin && sequence < this.end && this.#times[sequence & this.#mask] !== NOT_RECEIVED;
  }

  /** Notes an arrival; `sequence` is unwrapped. The first arrival of a packet counts. False when it was there or is too old. */
  add(sequence: number, arrival: Micros): boolean {
    // An emptied map keeps its place: what comes next may follow a gap, whose losses are still to be told.
    if (!this.#started) {
      this.#started = true;
      this.begin = sequence;
      this.end = sequence;
    }
    if (sequence < this.begin) {
      if (this.end - sequence > this.packetsMax) {
        this.stats.tooOld++;
        return false;
      }
      this.#reserve(this.end - sequence);
      this.#blank(sequence, this.begin);
      this.begin = sequence;
    } else if (sequence >= this.end) {
      this.#extend(sequence + 1);
    } else if (this.has(sequence)) {
      return false;
    }
    this.#times[sequence & this.#mask] = arrival;
    return true;
  }

  /** First packet received at or after `sequence`, or `end`. */
  next(sequence: number): number {
    let at = Math.max(sequence, this.begin);
    while (at < this.end && this.#times[at & this.#mask] === NOT_RECEIVED) at++;
    return Math.min(at, this.end);
  }

  /** Drops packets from the front that are before `sequence` and arrived at or before `limit`, or never. */
  removeOld(sequence: number, limit: Micros): void {
    const to = Math.min(sequence, this.end);
    while (this.begin < to && this.#times[this.begin & this.#mask]! <= limit) this.begin++;
  }

  #extend(end: number): void {
    const begin = Math.max(this.begin, end - this.packetsMax);
    const overflows = begin > this.begin;
    if (begin >= this.end) {
      // Nothing known would remain: start over at the new packet instead of covering a gap of thousands.
      if (overflows) this.stats.overflowed += this.end - this.begin;
      this.begin = overflows ? end - 1 : this.end;
      this.end = this.begin;
    } else if (overflows) {
      // A map that was cut begins at a packet that arrived; there is one, or it would begin at the new one.
      const next = this.next(begin);
      this.stats.overflowed += next - this.begin;
      this.begin = next === this.end ? end - 1 : next;
      if (next === this.end) this.end = this.begin;
    }
    this.#reserve(end - this.begin);
    this.#blank(this.end, end);
    this.end = end;
  }

  #blank(from: number, to: number): void {
    for (let at = from; at < to; at++) this.#times[at & this.#mask] = NOT_RECEIVED;
  }

  #reserve(span: number): void {
    let capacity = this.#mask + 1;
    if (span <= capacity) return;
    while (capacity < span) capacity *= 2;
    const times = new Float64Array(capacity);
    for (let at = this.begin; at < this.end; at++) times[at & (capacity - 1)] = this.#times[at & this.#mask]!;
    this.#times = times;
    this.#mask = capacity - 1;
  }
}
