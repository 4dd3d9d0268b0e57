/**
 * TEA, 8 cycles: blocks of 8 bytes, keys of 16, words big endian.
 *
 * Source: Wheeler and Needham, "TEA, a Tiny Encryption Algorithm" (1994); kcptun.md section 3.
 * Deviations: a quarter of the paper's 32 cycles, because kcptun asks its library for 16 rounds, two of which are a cycle.
 */
import { assert } from "../base/assert.ts";
import type { EcbEncryptor } from "./primitives.ts";

const KEY_BYTES = 16;
const CYCLES = 8;
/** 2^32 divided by the golden ratio. */
export const DELTA = 0x9e3779b9;

export class Tea implements EcbEncryptor {
  readonly blockBytes = 8;
  readonly #key: Int32Array;

  /** Key of 16 bytes, copied. */
  constructor(key: Uint8Array) {
    this.#key = teaKey(key);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const a = this.#key[0]!;
    const b = this.#key[1]!;
    const c = this.#key[2]!;
    const d = this.#key[3]!;
    for (let at = 0; at < bytes; at += 8) {
      let y = input.getInt32(inputAt + at);
      let z = input.getInt32(inputAt + at + 4);
      let sum = 0;
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        sum = (sum + DELTA) | 0;
        y = (y + ((((z << 4) + a) | 0) ^ ((z + sum) | 0) ^ (((z >>> 5) + b) | 0))) | 0;
        z = (z + ((((y << 4) + c) | 0) ^ ((y + sum) | 0) ^ (((y >>> 5) + d) | 0))) | 0;
      }
      output.setInt32(at, y);
      output.setInt32(at + 4, z);
    }
  }
}

/** The four words of a key of TEA or XTEA. */
export function teaKey(key: Uint8Array): Int32Array {
  assert(key.length === KEY_BYTES, `a TEA key has ${KEY_BYTES} bytes, not ${key.length}`);
  const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES);
  return Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at));
}
