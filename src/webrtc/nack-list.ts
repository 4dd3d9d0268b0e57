/**
 * Which packets of a received stream are missing, and when to ask for them (again).
 *
 *   receive(5) receive(8) ─▶ 6, 7 missing ─▶ asked at once ─▶ again every round trip ─▶ after 10 times given up: a key frame is wanted
 *
 * Source: libwebrtc 2026-08-22 modules/video_coding/nack_requester; RFC 4585 section 6.2.1.
 *
 * Deviations:
 *   - a packet that is asked for again waits its own round trip; there all are looked at every 20 ms
 *   - a gap longer than the list is taken for a new beginning at once
 */
import { assert } from "../base/assert.ts";
import type { Micros } from "../base/units.ts";

/** Tuning of libwebrtc. */
const RETRIES_MAX = 10;
const ROUND_TRIP_DEFAULT: Micros = 100_000;
const ROUND_TRIP_MIN: Micros = 20_000;
const PACKETS_MAX = 1000;

export interface NackStats {
  /** Packets that were missing at first, that came after all, and that were given up. */
  missing: number;
  recovered: number;
  abandoned: number;
  /** Limit hit: gaps too long to be asked for. */
  overflows: number;
}

export class NackList {
  readonly stats: NackStats = { missing: 0, recovered: 0, abandoned: 0, overflows: 0 };
  roundTrip: Micros = ROUND_TRIP_DEFAULT;
  /** Something was given up: only a key frame helps. The caller takes it back. */
  keyFrameWanted = false;
  readonly #packetsMax: number;
  /** Missing packets, ascending and unwrapped, when each is asked for next, and how often it was. */
  readonly #sequence: Float64Array;
  readonly #due: Float64Array;
  readonly #retries: Uint8Array;
  #length = 0;
  #highest = Number.NaN;
  #deadline: Micros = Number.POSITIVE_INFINITY;

  /** `packetsMax`: most packets missing at once; 1000. */
  constructor(packetsMax: number = PACKETS_MAX) {
    assert(packetsMax >= 1, `${packetsMax} packets`);
    this.#packetsMax = packetsMax;
    this.#sequence = new Float64Array(packetsMax);
    this.#due = new Float64Array(packetsMax);
    this.#retries = new Uint8Array(packetsMax);
  }

  get length(): number {
    return this.#length;
  }

  /** A packet came, `sequence` unwrapped. */
  receive(now: Micros, sequence: number): void {
    if (Number.isNaN(this.#highest)) this.#highest = sequence;
    if (sequence <= this.#highest) {
      if (this.#remove(sequence)) this.stats.recovered++;
      return;
    }
    const gap = sequence - this.#highest - 1;
    if (gap > this.#packetsMax - this.#length) this.#overflow();
    else for (let missing = this.#highest + 1; missing < sequence; missing++) this.#add(now, missing);
    this.#highest = sequence;
  }

  /** A decoder can begin at `sequence`: what is missing before it is of no use. */
  forgetBefore(sequence: number): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) if (this.#sequence[i]! >= sequence) this.#move(i, kept++);
    this.#length = kept;
  }

  /** When `next` has something to ask for. */
  deadline(): Micros {
    return this.#deadline;
  }

  /** The lowest missing packet from `from` on that is due, which counts as asked for now; NaN when there is none. */
  next(now: Micros, from: number): number {
    for (let i = this.#length > 0 ? this.#from(from) : 0; i < this.#length; ) {
      if (this.#due[i]! > now) i++;
      else if (this.#retries[i]! >= RETRIES_MAX) this.#giveUp(i);
      else {
        this.#retries[i]!++;
        this.#due[i] = now + Math.max(this.roundTrip, ROUND_TRIP_MIN);
        return this.#sequence[i]!;
      }
    }
    this.#schedule();
    return Number.NaN;
  }

  #from(sequence: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sequence[middle]! < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #add(now: Micros, sequence: number): void {
    const i = this.#length++;
    this.#sequence[i] = sequence;
    this.#due[i] = now;
    this.#retries[i] = 0;
    this.stats.missing++;
    this.#deadline = Math.min(this.#deadline, now);
  }

  #remove(sequence: number): boolean {
    const at = this.#from(sequence);
    if (at >= this.#length || this.#sequence[at] !== sequence) return false;
    for (let i = at + 1; i < this.#length; i++) this.#move(i, i - 1);
    this.#length--;
    return true;
  }

  #giveUp(at: number): void {
    this.stats.abandoned++;
    this.keyFrameWanted = true;
    this.#remove(this.#sequence[at]!);
  }

  #overflow(): void {
    this.stats.overflows++;
    this.keyFrameWanted = true;
    this.#length = 0;
  }

  #move(from: number, to: number): void {
    this.#sequence[to] = this.#sequence[from]!;
    this.#due[to] = this.#due[from]!;
    this.#retries[to] = this.#retries[from]!;
  }

  #schedule(): void {
    let deadline = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#length; i++) deadline = Math.min(deadline, this.#due[i]!);
    this.#deadline = deadline;
  }
}
