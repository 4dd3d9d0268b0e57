/**
 * Acknowledgements owed to the peer, oldest first: (sn, ts) of every PUSH received since the last flush.
 *
 * The peers' list has no end. Ours has: a flood of duplicates pushes out the oldest entry, counted. Nothing is lost by it that matters:
 * the window holds fewer segments than the list, so the pushed-out entry is a duplicate's or is covered by `una`.
 */
import type { Seq32 } from "../base/units.ts";

/** Tuning. */
const CAPACITY_MIN = 256;

export class AckList {
  readonly #sn: Uint32Array;
  readonly #ts: Uint32Array;
  readonly #mask: number;
  #head = 0;
  /** Entries waiting. */
  length = 0;
  /** Entries pushed out because the list was full. */
  overflows = 0;

  /** `rcvWnd` in segments: the list holds at least as many. */
  constructor(rcvWnd: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(rcvWnd, CAPACITY_MIN)));
    this.#sn = new Uint32Array(capacity);
    this.#ts = new Uint32Array(capacity);
    this.#mask = capacity - 1;
  }

  get capacity(): number {
    return this.#mask + 1;
  }

  push(sn: Seq32, ts: number): void {
    if (this.length > this.#mask) {
      this.shift();
      this.overflows++;
    }
    const at = (this.#head + this.length) & this.#mask;
    this.#sn[at] = sn;
    this.#ts[at] = ts;
    this.length++;
  }

  /** Of the oldest entry; `length` must be above 0. */
  get sn(): Seq32 {
    return this.#sn[this.#head]!;
  }

  /** Of the oldest entry; `length` must be above 0. */
  get ts(): number {
    return this.#ts[this.#head]!;
  }

  shift(): void {
    this.#head = (this.#head + 1) & this.#mask;
    this.length--;
  }
}
