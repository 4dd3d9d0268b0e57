/** Datagrams that came in one batch, sorted by the conversation they are of, so that each sends its own by one call; in order within it. */
import { Batch } from "../base/batch.ts";

export interface Sorted {
  /** Of the pieces added last; −1: it has none. */
  firstPiece: number;
  lastPiece: number;
}

export class OnwardPieces<T extends Sorted> {
  readonly #capacity: number;
  readonly #start: Int32Array;
  readonly #end: Int32Array;
  readonly #next: Int32Array;
  readonly #touched: T[] = [];
  #length = 0;
  /** What is handed over, lying in the slab of whoever added the pieces. */
  #batch: Batch | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#start = new Int32Array(capacity);
    this.#end = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
  }

  get full(): boolean {
    return this.#length === this.#capacity;
  }

  /** bytes[start…end) of the slab goes to `to`. */
  add(to: T, start: number, end: number): void {
    const piece = this.#length++;
    this.#start[piece] = start;
    this.#end[piece] = end;
    this.#next[piece] = -1;
    if (to.firstPiece < 0) {
      to.firstPiece = piece;
      this.#touched.push(to);
    } else this.#next[to.lastPiece] = piece;
    to.lastPiece = piece;
  }

  /** Hands each its own, which lie in `bytes`, and is empty then. */
  flush(bytes: Uint8Array, hand: (to: T, batch: Batch) => void): void {
    if (this.#length === 0) return;
    if (this.#batch?.bytes !== bytes) this.#batch = new Batch(this.#capacity, bytes);
    const batch = this.#batch;
    for (const to of this.#touched) {
      batch.length = 0;
      for (let piece = to.firstPiece; piece >= 0; piece = this.#next[piece]!) batch.add(this.#start[piece]!, this.#end[piece]!);
      to.firstPiece = -1;
      hand(to, batch);
    }
    this.#touched.length = 0;
    this.#length = 0;
  }
}
