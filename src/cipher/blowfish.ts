/**
 * Blowfish: blocks of 8 bytes, keys of 4…56 bytes, words big endian.
 *
 *   left ─⊕ P[i] ─┬────────────── swap, 16 rounds
 *                 └▶ F ─▶ ⊕ right      F = ((S0[a] + S1[b]) ⊕ S2[c]) + S3[d], bytes of left from the top
 *
 * Source: Schneier, "Description of a New Variable-Length Key, 64-Bit Block Cipher (Blowfish)" (1994); kcptun.md section 3.
 */
import { assert } from "../base/assert.ts";
import { piFraction } from "./pi.ts";
import type { EcbEncryptor } from "./primitives.ts";

const ROUNDS = 16;
const P_WORDS = ROUNDS + 2;
const S_WORDS = 1024;

/** P and S before any key has touched them; made when the first cipher is. */
let initial: Int32Array | undefined;

export class Blowfish implements EcbEncryptor {
  readonly blockBytes = 8;
  readonly #p: Int32Array;
  readonly #s: Int32Array;

  /** Key of 4…56 bytes, copied. Making it encrypts 521 blocks. */
  constructor(key: Uint8Array) {
    assert(key.length >= 4 && key.length <= 56, `a Blowfish key has 4 to 56 bytes, not ${key.length}`);
    initial ??= piFraction(P_WORDS + S_WORDS);
    this.#p = initial.slice(0, P_WORDS);
    this.#s = initial.slice(P_WORDS);
    for (let i = 0, next = 0; i < P_WORDS; i++) {
      let word = 0;
      for (let n = 0; n < 4; n++, next++) word = (word << 8) | key[next % key.length]!;
      this.#p[i]! ^= word;
    }
    const block = new DataView(new ArrayBuffer(8));
    for (const table of [this.#p, this.#s]) {
      for (let i = 0; i < table.length; i += 2) {
        this.encrypt(block, block, 8);
        table[i] = block.getInt32(0);
        table[i + 1] = block.getInt32(4);
      }
    }
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const p = this.#p;
    const s = this.#s;
    for (let at = 0; at < bytes; at += 8) {
      let left = input.getInt32(inputAt + at);
      let right = input.getInt32(inputAt + at + 4);
      for (let i = 0; i < ROUNDS; i += 2) {
        left ^= p[i]!;
        right ^= round(s, left) ^ p[i + 1]!;
        left ^= round(s, right);
      }
      output.setInt32(at, right ^ p[ROUNDS + 1]!);
      output.setInt32(at + 4, left ^ p[ROUNDS]!);
    }
  }
}

function round(s: Int32Array, x: number): number {
  const ab = (s[x >>> 24]! + s[256 + ((x >>> 16) & 255)]!) | 0;
  return ((ab ^ s[512 + ((x >>> 8) & 255)]!) + s[768 + (x & 255)]!) | 0;
}
