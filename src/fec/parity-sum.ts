/**
 * Parity of a group, summed up shard by shard, so that no data shard is kept.
 *
 *   word p of a block holds byte p of four parity shards:   | row 3 | row 2 | row 1 | row 0 |
 *   adding a data shard:  word[p] ^= table[column][byte p]       one lookup for four rows
 *
 * A kernel with vector instructions can stand in for this class.
 */
import { multiply } from "./gf256.ts";
import { SHARDS_MAX } from "./packet.ts";
import { Interpolation } from "./reed-solomon.ts";

const ROWS_PER_BLOCK = 4;

export class ParitySum {
  readonly #columns: number;
  readonly #blocks: number;
  readonly #shardBytesMax: number;
  /** Entry ((block · columns + column) · 256 + byte): the byte times four coefficients. */
  readonly #tables: Int32Array;
  readonly #sums: Int32Array;
  /** Longest shard added since `clear`. */
  length = 0;

  /** `columns` data shards and `rows` parity shards, together at most 256; shards of at most `shardBytesMax` bytes. */
  constructor(columns: number, rows: number, shardBytesMax: number) {
    this.#columns = columns;
    this.#blocks = Math.ceil(rows / ROWS_PER_BLOCK);
    this.#shardBytesMax = shardBytesMax;
    this.#tables = makeTables(columns, rows, this.#blocks);
    this.#sums = new Int32Array(this.#blocks * shardBytesMax);
  }

  /** Adds view[start…end) as data shard `column`. */
  add(column: number, view: DataView, start: number, end: number): void {
    for (let block = 0; block < this.#blocks; block++) {
      addShard(this.#tables, (block * this.#columns + column) << 8, view, start, end - start, this.#sums, block * this.#shardBytesMax);
    }
    if (end - start > this.length) this.length = end - start;
  }

  /** Writes parity shard `row`, `length` bytes, to into[offset…). */
  read(row: number, into: Uint8Array, offset: number): void {
    const first = (row >> 2) * this.#shardBytesMax;
    const shift = (row & 3) << 3;
    const { length } = this;
    for (let p = 0; p < length; p++) into[offset + p] = this.#sums[first + p]! >>> shift;
  }

  clear(): void {
    for (let block = 0; block < this.#blocks; block++) {
      const first = block * this.#shardBytesMax;
      this.#sums.fill(0, first, first + this.length);
    }
    this.length = 0;
  }
}

function addShard(tables: Int32Array, table: number, view: DataView, start: number, length: number, sums: Int32Array, first: number): void {
  const whole = length & ~3;
  let p = 0;
  for (; p < whole; p += 4) {
    const word = view.getInt32(start + p, true);
    const at = first + p;
    sums[at]! ^= tables[table + (word & 255)]!;
    sums[at + 1]! ^= tables[table + ((word >>> 8) & 255)]!;
    sums[at + 2]! ^= tables[table + ((word >>> 16) & 255)]!;
    sums[at + 3]! ^= tables[table + (word >>> 24)]!;
  }
  for (; p < length; p++) sums[first + p]! ^= tables[table + view.getUint8(start + p)]!;
}

function makeTables(columns: number, rows: number, blocks: number): Int32Array {
  const tables = new Int32Array(blocks * columns * 256);
  const points = new Uint8Array(SHARDS_MAX);
  for (let k = 0; k < columns; k++) points[k] = k;
  const code = new Interpolation();
  code.load(points, columns);
  const weights = new Uint8Array(SHARDS_MAX);
  for (let row = 0; row < rows; row++) {
    code.weights(columns + row, weights);
    const shift = (row & 3) << 3;
    for (let column = 0; column < columns; column++) {
      const table = ((row >> 2) * columns + column) << 8;
      for (let byte = 0; byte < 256; byte++) tables[table + byte]! |= multiply(weights[column]!, byte) << shift;
    }
  }
  return tables;
}
