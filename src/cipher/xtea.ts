/**
 * XTEA, 32 cycles: blocks of 8 bytes, keys of 16, words big endian.
 *
 * Source: Needham and Wheeler, "TEA extensions" (1997); kcptun.md section 3.
 * Deviations: the sums of running total and key word, two a cycle, are made once.
 */
import type { EcbEncryptor } from "./primitives.ts";
import { DELTA, teaKey } from "./tea.ts";

const CYCLES = 32;

export class Xtea implements EcbEncryptor {
  readonly blockBytes = 8;
  readonly #schedule = new Int32Array(2 * CYCLES);

  /** Key of 16 bytes, copied. */
  constructor(key: Uint8Array) {
    const words = teaKey(key);
    let sum = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      this.#schedule[2 * cycle] = sum + words[sum & 3]!;
      sum = (sum + DELTA) | 0;
      this.#schedule[2 * cycle + 1] = sum + words[(sum >>> 11) & 3]!;
    }
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const schedule = this.#schedule;
    for (let at = 0; at < bytes; at += 8) {
      let y = input.getInt32(inputAt + at);
      let z = input.getInt32(inputAt + at + 4);
      for (let i = 0; i < 2 * CYCLES; i += 2) {
        y = (y + (((((z << 4) ^ (z >>> 5)) + z) | 0) ^ schedule[i]!)) | 0;
        z = (z + (((((y << 4) ^ (y >>> 5)) + y) | 0) ^ schedule[i + 1]!)) | 0;
      }
      output.setInt32(at, y);
      output.setInt32(at + 4, z);
    }
  }
}
