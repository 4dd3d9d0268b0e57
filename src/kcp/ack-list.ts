/**
 * Acknowledgements owed to the peer, oldest first: (sn, ts) of every PUSH received since the last flush.
 *
 * The peers' list has no end. Ours has: a flood of duplicates pushes out the oldest entry, counted. Nothing is lost by it that matters:
 * the window holds fewer segments than the list, so the pushed-out entry is a duplicate's or is covered by `una`.
 */
import type { Seq32 } from "../base/units.ts";

/** Tuning. */
const CAPACITY_MIN = 256;
const ENTRIES_AT_FIRST = 16;

export class AckList {
  /** Most entries. */
  readonly capacity: number;
  /** Pairs of sn and ts. */
  #entries = new Uint32Array(2 * ENTRIES_AT_FIRST);
  #mask = ENTRIES_AT_FIRST - 1;
  #head = 0;
  #shifted = 0;
  /** Entries waiting. */
  length = 0;
  /** Entries pushed out because the list was full. */
  overflows = 0;

  /** `rcvWnd` in segments: the list holds at least as many. */
  constructor(rcvWnd: number) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(rcvWnd, CAPACITY_MIN)));
  }

  push(sn: Seq32, ts: number): void {
    if (this.length > this.#mask) {
      if (this.length < this.capacity) this.#resize(2 * this.length);
      else {
        this.shift();
        this.overflows++;
      }
    }
    const at = ((this.#head + this.length) & this.#mask) << 1;
    this.#entries[at] = sn;
    this.#entries[at + 1] = ts;
    this.length++;
  }

  /** Of the oldest entry; `length` must be above 0. */
  get sn(): Seq32 {
    return this.#entries[this.#head << 1]!;
  }

  /** Of the oldest entry; `length` must be above 0. */
  get ts(): number {
    return this.#entries[(this.#head << 1) + 1]!;
  }

  /** Of the entry that was shifted `back` entries ago, 1…`shifted`. */
  snBefore(back: number): Seq32 {
    return this.#entries[((this.#head - back) & this.#mask) << 1]!;
  }

  tsBefore(back: number): number {
    return this.#entries[(((this.#head - back) & this.#mask) << 1) + 1]!;
  }

  /** Entries shifted that are still there. */
  get shifted(): number {
    return Math.min(this.#shifted, this.#mask + 1 - this.length);
  }

  shift(): void {
    this.#shifted++;
    this.#head = (this.#head + 1) & this.#mask;
    this.length--;
  }

  /** Nothing has come for long: gives back room that was made for bursts; false when something waits in it. */
  rest(): boolean {
    if (this.length > 0) return false;
    if (this.#mask >= ENTRIES_AT_FIRST) this.#resize(ENTRIES_AT_FIRST);
    return true;
  }

  #resize(size: number): void {
    const entries = new Uint32Array(2 * size);
    for (let i = 0; i < this.length; i++) {
      const from = ((this.#head + i) & this.#mask) << 1;
      entries[2 * i] = this.#entries[from]!;
      entries[2 * i + 1] = this.#entries[from + 1]!;
    }
    this.#entries = entries;
    this.#mask = size - 1;
    this.#head = 0;
    this.#shifted = 0;
  }
}
