/**
 * The parity of a group as parity-sum.ts sums it up, by kernels (kernel/parity.ts), four rows a call.
 *
 *   in the kernels' memory:  sums of each row, of each encoder │ tables, of all encoders of a shape: block of four rows 0: column 0, column 1, … │ block 1: …
 */

import type { Region } from "../base/region.ts";
import { type KernelFunctions, type Kernels, kernels, takeInside } from "../kernel/kernels.ts";
import { ROW_TABLE_BYTES, ROWS_MAX, SUM_BYTES } from "../kernel/parity.ts";
import { multiply } from "./gf256.ts";
import type { Parity } from "./parity-sum.ts";
import { parityWeights } from "./reed-solomon.ts";

export class KernelParity implements Parity {
  length = 0;
  rows: number;
  readonly #kernels: Kernels;
  readonly #columns: number;
  readonly #rows: number;
  /** Both hold on to their regions. */
  readonly #sums: Region;
  readonly #tables: Tables;

  /** Undefined when there are no kernels, no room in their memory, or shards longer than they take. */
  static make(columns: number, rows: number, shardBytesMax: number, set = kernels()): KernelParity | undefined {
    if (set === undefined || shardBytesMax > SUM_BYTES) return undefined;
    const tables = tablesOf(set, columns, rows);
    const sums = tables && takeInside(rows * SUM_BYTES, set);
    return sums && new KernelParity(set, tables, sums);
  }

  private constructor(set: Kernels, tables: Tables, sums: Region) {
    this.rows = tables.rows;
    this.#kernels = set;
    this.#columns = tables.columns;
    this.#rows = tables.rows;
    this.#tables = tables;
    this.#sums = sums;
    set.bytes.fill(0, sums.at, sums.end);
  }

  add(column: number, view: DataView, start: number, end: number): void {
    const set = this.#kernels;
    let from = start;
    if (view !== set.view) {
      from = set.scratch;
      for (let i = start; i < end; i++) set.bytes[from + i - start] = view.getUint8(i);
    }
    for (let row = 0; row < this.rows; row += ROWS_MAX) {
      const sums = this.#sums.at + row * SUM_BYTES;
      const table = tableAt(this.#tables.region.at, this.#columns, this.#rows, row, column);
      addTo(set.run, this.#rows - row, from, from + end - start, sums, table);
    }
    if (end - start > this.length) this.length = end - start;
  }

  read(row: number, view: DataView, offset: number): void {
    const set = this.#kernels;
    const sum = this.#sums.at + row * SUM_BYTES;
    if (view === set.view) set.run.copy(offset, sum, this.length);
    else for (let i = 0; i < this.length; i++) view.setUint8(offset + i, set.bytes[sum + i]!);
  }

  clear(): void {
    for (let row = 0; row < this.#rows; row++) this.#kernels.run.fill(this.#sums.at + row * SUM_BYTES, 0, this.length);
    this.length = 0;
  }
}

interface Tables {
  readonly set: Kernels;
  readonly columns: number;
  readonly rows: number;
  readonly region: Region;
}

/** Of the shape asked for last, which nearly all sessions of a process have. */
let latest: Tables | undefined;

function tablesOf(set: Kernels, columns: number, rows: number): Tables | undefined {
  if (latest !== undefined && latest.set === set && latest.columns === columns && latest.rows === rows) return latest;
  const region = takeInside(columns * rows * ROW_TABLE_BYTES, set);
  if (region === undefined) return undefined;
  const weights = parityWeights(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const table = tableAt(region.at, columns, rows, row - (row % ROWS_MAX), column) + (row % ROWS_MAX) * ROW_TABLE_BYTES;
      const weight = weights[row * columns + column]!;
      for (let n = 0; n < 16; n++) {
        set.bytes[table + n] = multiply(weight, n);
        set.bytes[table + 16 + n] = multiply(weight, n << 4);
      }
    }
  }
  latest = { set, columns, rows, region };
  return latest;
}

/** Table of a block of rows, `row` being its first, and a column. */
function tableAt(tables: number, columns: number, rows: number, row: number, column: number): number {
  const inBlock = Math.min(ROWS_MAX, rows - row);
  return tables + (row * columns + column * inBlock) * ROW_TABLE_BYTES;
}

function addTo(run: KernelFunctions, rows: number, start: number, end: number, sums: number, table: number): void {
  if (rows >= 4) run.parity4(start, end, sums, table);
  else if (rows === 3) run.parity3(start, end, sums, table);
  else if (rows === 2) run.parity2(start, end, sums, table);
  else run.parity1(start, end, sums, table);
}
