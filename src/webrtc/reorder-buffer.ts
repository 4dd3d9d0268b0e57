/**
 * Brings the packets of a stream back into order, waiting a while for those that are asked for again.
 *
 *   insert(7) insert(9) ─▶ next: 7 ─▶ next: nothing yet ── 8 comes ──▶ 8, 9
 *                                                       └─ or not in time ─▶ 9, with `gap`
 *
 * Payloads are copied into slots; nothing is allocated for a packet.
 */
import { assert } from "../base/assert.ts";
import type { Bytes, Micros } from "../base/units.ts";

const PACKETS_MAX = 1024;
const PAYLOAD_MAX: Bytes = 1500;
/** Tuning: several round trips of a long path. */
const WAIT: Micros = 600_000;

export interface ReorderOptions {
  /** Packets held at most, a power of two; 1024. */
  readonly packetsMax?: number;
  /** How long a missing packet is waited for. */
  readonly wait?: Micros;
}

export class ReorderBuffer {
  readonly stats = {
    late: 0,
    gaps: 0,
    /** Payloads too long for a slot. */ tooLong: 0,
    /** Limit hit: what was missing was not waited for any more. */ full: 0,
  };
  /** The packet that `next` brought: its payload is bytes[start…end), borrowed until the next call. */
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  timestamp = 0;
  marker = false;
  /** Packets before it are missing for good. */
  gap = false;
  readonly #mask: number;
  readonly #wait: Micros;
  readonly #sequence: Float64Array;
  readonly #length: Uint16Array;
  readonly #timestamp: Uint32Array;
  readonly #marker: Uint8Array;
  #next = Number.NaN;
  #highest = Number.NaN;
  /** The next packet comes behind a gap that was not waited for. */
  #skipped = false;
  /** Since when the packet at #next is missed. */
  #missedSince: Micros = Number.NaN;

  constructor({ packetsMax = PACKETS_MAX, wait = WAIT }: ReorderOptions = {}) {
    assert((packetsMax & (packetsMax - 1)) === 0, `packetsMax ${packetsMax}: a power of two`);
    this.#mask = packetsMax - 1;
    this.#wait = wait;
    this.bytes = new Uint8Array(packetsMax * PAYLOAD_MAX);
    this.#sequence = new Float64Array(packetsMax).fill(Number.NaN);
    this.#length = new Uint16Array(packetsMax);
    this.#timestamp = new Uint32Array(packetsMax);
    this.#marker = new Uint8Array(packetsMax);
  }

  /** Takes payload[start…end) of packet `sequence` (unwrapped). An empty one only fills its place. */
  insert(sequence: number, payload: Uint8Array, start: number, end: number, timestamp: number, marker: boolean): void {
    if (Number.isNaN(this.#next)) {
      this.#next = sequence;
      this.#highest = sequence - 1;
    }
    if (sequence < this.#next) {
      this.stats.late++;
      return;
    }
    if (end - start > PAYLOAD_MAX) {
      this.stats.tooLong++;
      return;
    }
    if (sequence - this.#next > this.#mask) {
      // What does not fit beside what is held makes all of it old.
      this.stats.full++;
      this.#skipped = true;
      this.#next = sequence;
    }
    const slot = sequence & this.#mask;
    this.#sequence[slot] = sequence;
    this.#length[slot] = end - start;
    this.#timestamp[slot] = timestamp;
    this.#marker[slot] = marker ? 1 : 0;
    const at = slot * PAYLOAD_MAX;
    for (let i = start, to = at; i < end; ) this.bytes[to++] = payload[i++]!;
    if (sequence > this.#highest) this.#highest = sequence;
  }

  /** Goes to the next packet in order; false when there is none yet. */
  next(now: Micros): boolean {
    this.gap = this.#skipped;
    for (;;) {
      if (!(this.#next <= this.#highest)) return false;
      const slot = this.#next & this.#mask;
      if (this.#sequence[slot] !== this.#next) {
        if (Number.isNaN(this.#missedSince)) this.#missedSince = now;
        if (now - this.#missedSince < this.#wait) return false;
        this.stats.gaps++;
        this.gap = true;
        this.#skipped = true;
        this.#next++;
        continue;
      }
      this.#missedSince = Number.NaN;
      this.#next++;
      this.start = slot * PAYLOAD_MAX;
      this.end = this.start + this.#length[slot]!;
      this.timestamp = this.#timestamp[slot]!;
      this.marker = this.#marker[slot] === 1;
      if (this.end === this.start) continue;
      this.#skipped = false;
      return true;
    }
  }

  /** When `next` gives up what it waits for; Infinity while nothing is missing. */
  deadline(): Micros {
    return Number.isNaN(this.#missedSince) ? Number.POSITIVE_INFINITY : this.#missedSince + this.#wait;
  }
}
