/**
 * The parity of a group as parity-sum.ts sums it up, by kernels (kernel/parity.ts), four rows a call.
 *
 *   in the kernels' memory:  sums of each row in use, of each encoder │ tables, of all encoders of a shape: block of four rows 0: column 0, column 1, … │ block 1: …
 */

import type { Region } from "../base/region.ts";
import { giveRegion, type KernelFunctions, type Kernels, kernels, takeInside } from "../kernel/kernels.ts";
import { ROW_TABLE_BYTES, ROWS_MAX, SUM_BYTES } from "../kernel/parity.ts";
import { multiply } from "./gf256.ts";
import type { Parity } from "./parity-sum.ts";
import { parityWeights } from "./reed-solomon.ts";

export class KernelParity implements Parity {
  length = 0;
  readonly #kernels: Kernels;
  readonly #columns: number;
  readonly #rowsMax: number;
  readonly #tables: Tables;
  /** Rows of the open group, and rows that there is room for: all, or a multiple of those that a call takes. */
  #rows = 0;
  #room = 0;
  #sums: Region | undefined;

  /** Undefined when there are no kernels, no room for tables in their memory, or shards longer than they take. */
  static make(columns: number, rows: number, shardBytesMax: number, set = kernels()): KernelParity | undefined {
    if (set === undefined || shardBytesMax > SUM_BYTES) return undefined;
    const tables = tablesOf(set, columns, rows);
    return tables && new KernelParity(set, tables);
  }

  private constructor(set: Kernels, tables: Tables) {
    this.#kernels = set;
    this.#columns = tables.columns;
    this.#rowsMax = tables.rows;
    this.#tables = tables;
  }

  begin(rows: number): boolean {
    const at = this.#sums?.at ?? 0;
    // A call sums up whole blocks of rows, those that nobody wanted too.
    const touched = Math.min(this.#room, wholeBlocks(this.#rows));
    for (let row = 0; row < touched; row++) this.#kernels.run.fill(at + row * SUM_BYTES, 0, this.length);
    this.length = 0;
    this.#rows = rows;
    return rows <= this.#room || this.#grow(rows);
  }

  add(column: number, view: DataView, start: number, end: number): void {
    const set = this.#kernels;
    let from = start;
    if (view !== set.view) {
      from = set.scratch;
      for (let i = start; i < end; i++) set.bytes[from + i - start] = view.getUint8(i);
    }
    const at = this.#sums?.at ?? 0;
    for (let row = 0; row < this.#rows; row += ROWS_MAX) {
      const sums = at + row * SUM_BYTES;
      const table = tableAt(this.#tables.region.at, this.#columns, this.#rowsMax, row, column);
      addTo(set.run, this.#rowsMax - row, from, from + end - start, sums, table);
    }
    if (end - start > this.length) this.length = end - start;
  }

  read(row: number, view: DataView, offset: number): void {
    const set = this.#kernels;
    const sum = (this.#sums?.at ?? 0) + row * SUM_BYTES;
    if (view === set.view) set.run.copy(offset, sum, this.length);
    else for (let i = 0; i < this.length; i++) view.setUint8(offset + i, set.bytes[sum + i]!);
  }

  rest(): void {
    if (this.#sums !== undefined) giveRegion(this.#sums);
    this.#sums = undefined;
    this.#room = 0;
    this.#rows = 0;
  }

  /** Nothing of the open group has been added yet. */
  #grow(rows: number): boolean {
    const room = Math.min(this.#rowsMax, wholeBlocks(rows));
    const sums = takeInside(room * SUM_BYTES, this.#kernels);
    if (sums === undefined) {
      this.#rows = 0;
      return false;
    }
    if (this.#sums !== undefined) giveRegion(this.#sums);
    this.#kernels.bytes.fill(0, sums.at, sums.end);
    this.#sums = sums;
    this.#room = room;
    return true;
  }
}

function wholeBlocks(rows: number): number {
  return Math.ceil(rows / ROWS_MAX) * ROWS_MAX;
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
