/**
 * target += coefficient · source, the inner loop of every repair: by a kernel (kernel/parity.ts) where both lie in the kernels' memory, in
 * TypeScript otherwise.
 */
import { type Kernels, kernels } from "../kernel/kernels.ts";
import { ROW_TABLE_BYTES } from "../kernel/parity.ts";
import { mulAdd, multiply } from "./gf256.ts";

/** In the kernels' memory: the table of each coefficient; −1 when there was no room. */
let tables: number | undefined;

export class Products {
  readonly #kernels: Kernels | undefined = kernels();

  /** Adds `length` bytes, at least 1. */
  add(coefficient: number, source: Uint8Array, sOff: number, target: Uint8Array, tOff: number, length: number): void {
    const set = this.#kernels;
    const table = set === undefined || source !== set.bytes || target !== set.bytes ? -1 : tableOf(set);
    if (table < 0) mulAdd(coefficient, source, sOff, target, tOff, length);
    else set!.run.parity1(sOff, sOff + length, tOff, table + coefficient * ROW_TABLE_BYTES);
  }
}

function tableOf(set: Kernels): number {
  tables ??= makeTables(set);
  return tables;
}

function makeTables(set: Kernels): number {
  const at = set.take(256 * ROW_TABLE_BYTES);
  if (at < 0) return at;
  for (let coefficient = 0; coefficient < 256; coefficient++) {
    const table = at + coefficient * ROW_TABLE_BYTES;
    for (let n = 0; n < 16; n++) {
      set.bytes[table + n] = multiply(coefficient, n);
      set.bytes[table + 16 + n] = multiply(coefficient, n << 4);
    }
  }
  return at;
}
