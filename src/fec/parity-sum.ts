/**
 * Parity of a group, summed up shard by shard, so that no data shard is kept.
 *
 *   word p of a block holds byte p of four parity shards:   | row 3 | row 2 | row 1 | row 0 |
 *   adding a data shard:  word[p] ^= table[column][byte p]       one lookup for four rows
 *
 * parity-kernel.ts stands in for it where there are kernels.
 */
import { multiply } from "./gf256.ts";
import { parityWeights } from "./reed-solomon.ts";

const ROWS_PER_BLOCK = 4;

/** Sums up the parity of one group after the other. */
export interface Parity {
  /** Longest shard added since `begin`. */
  readonly length: number;
  /** Begins a group of which `rows` rows are summed up; false: there is no room for them. */
  begin(rows: number): boolean;
  /** Adds view[start…end), not empty, as data shard `column`. */
  add(column: number, view: DataView, start: number, end: number): void;
  /** Writes parity shard `row`, `length` bytes, to view[offset…). */
  read(row: number, view: DataView, offset: number): void;
  /** No group is open, and none will be soon: gives room back. */
  rest(): void;
}

export class ParitySum implements Parity {
  readonly #columns: number;
  readonly #blocks: number;
  readonly #shardBytesMax: number;
  /**
   * Tables, then sums, in one array, because every further array costs the inner loop its address and its length again.
   * Table of block and column at (block · columns + column) · 256: a byte times four coefficients. Sums of a block: one word a byte.
   */
  readonly #words: Int32Array;
  length = 0;
  #rows = 0;

  /** `columns` data shards and `rows` parity shards, together at most 256; shards of at most `shardBytesMax` bytes. */
  constructor(columns: number, rows: number, shardBytesMax: number) {
    this.#columns = columns;
    this.#blocks = Math.ceil(rows / ROWS_PER_BLOCK);
    this.#shardBytesMax = shardBytesMax;
    this.#words = new Int32Array(this.#blocks * (columns * 256 + shardBytesMax));
    fillTables(this.#words, columns, rows);
  }

  begin(rows: number): boolean {
    for (let block = 0; block * ROWS_PER_BLOCK < this.#rows; block++) {
      const first = this.#sums(block);
      this.#words.fill(0, first, first + this.length);
    }
    this.length = 0;
    this.#rows = rows;
    return true;
  }

  add(column: number, view: DataView, start: number, end: number): void {
    for (let block = 0; block * ROWS_PER_BLOCK < this.#rows; block++) {
      addShard(this.#words, (block * this.#columns + column) << 8, view, start, end, this.#sums(block));
    }
    if (end - start > this.length) this.length = end - start;
  }

  read(row: number, view: DataView, offset: number): void {
    const words = this.#words;
    const shift = (row & 3) << 3;
    const end = (offset + this.length) | 0;
    let at = this.#sums(row >> 2);
    for (let to = offset | 0; to < end; to = (to + 1) | 0) {
      view.setUint8(to, words[at]! >>> shift);
      at = (at + 1) | 0;
    }
  }

  /** The sums are small beside the tables, which stay. */
  rest(): void {}

  #sums(block: number): number {
    return this.#blocks * (this.#columns << 8) + block * this.#shardBytesMax;
  }
}

/** `| 0` tells the compiler that no sum overflows, which it would otherwise check a dozen times a word. */
function addShard(words: Int32Array, table: number, view: DataView, start: number, end: number, sums: number): void {
  let at = sums | 0;
  let from = start | 0;
  const whole = (start + ((end - start) & ~3)) | 0;
  for (; from < whole; from = (from + 4) | 0) {
    const bytes = view.getInt32(from, true);
    words[at] = words[at]! ^ words[table | (bytes & 255)]!;
    words[at + 1] = words[at + 1]! ^ words[table | ((bytes >>> 8) & 255)]!;
    words[at + 2] = words[at + 2]! ^ words[table | ((bytes >>> 16) & 255)]!;
    words[at + 3] = words[at + 3]! ^ words[table | (bytes >>> 24)]!;
    at = (at + 4) | 0;
  }
  for (; from < end; from++) words[at++]! ^= words[table | view.getUint8(from)]!;
}

/** Fills the tables at the front of `words`. */
function fillTables(words: Int32Array, columns: number, rows: number): void {
  const weights = parityWeights(columns, rows);
  for (let row = 0; row < rows; row++) {
    const shift = (row & 3) << 3;
    for (let column = 0; column < columns; column++) {
      const table = ((row >> 2) * columns + column) << 8;
      for (let byte = 0; byte < 256; byte++) words[table + byte]! |= multiply(weights[row * columns + column]!, byte) << shift;
    }
  }
}
