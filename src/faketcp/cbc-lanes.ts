/** CBC over packets in the kernels' memory in lock step: block i of all of them in one call of the block cipher. See kernel/cbc.ts. */
import type { Kernels } from "../kernel/kernels.ts";
import type { Blocks } from "./primitives.ts";
import type { Ranges } from "./ranges.ts";

const BLOCK_BYTES = 16;
/** Packets in lock step; their registers stay in the first-level cache. */
const LANES = 64;
/** Measured: with fewer packets the calls cost more than the chain of each. */
export const LOCK_STEP_FROM = 7;

export class CbcLanes {
  readonly #set: Kernels;
  readonly #ecb: Blocks;

  constructor(set: Kernels, ecb: Blocks) {
    this.#set = set;
    this.#ecb = ecb;
  }

  /** Encrypts the ranges in place, whole blocks each, those with end ≤ start excepted. The block before a range is overwritten. */
  encrypt({ start, end, length }: Ranges): void {
    const { bytes, view, run, scratch: registers } = this.#set;
    const lanes = registers + LANES * BLOCK_BYTES;
    for (let i = 0; i < length; ) {
      let count = 0;
      for (; i < length && count < LANES; i++) {
        if (end[i]! <= start[i]!) continue;
        view.setInt32(lanes + 8 * count, start[i]! - BLOCK_BYTES, true);
        view.setInt32(lanes + 8 * count + 4, end[i]! - BLOCK_BYTES, true);
        count++;
      }
      if (count === 0) continue;
      bytes.fill(0, registers, registers + count * BLOCK_BYTES);
      for (let left = run.cbcRow(registers, lanes, count); left > 0; left = run.cbcRow(registers, lanes, left)) {
        this.#ecb.encrypt(bytes, registers, registers + left * BLOCK_BYTES);
      }
    }
  }
}
