/**
 * CAST-128 (CAST5) with a key of 128 bits: 16 rounds on blocks of 8 bytes, words big endian.
 *
 *   left, right = right, left ⊕ f(right, Km[i], Kr[i])      f: I = (Km ∘ right) <<< Kr, then four S-boxes
 *   f of rounds 1, 4, 7…   Km + right    ((S1 ⊕ S2) − S3) + S4
 *            2, 5, 8…      Km ⊕ right    ((S1 − S2) + S3) ⊕ S4
 *            3, 6, 9…      Km − right    ((S1 + S2) ⊕ S3) − S4
 *
 * Source: RFC 2144 sections 2.2 to 2.4; kcptun.md section 3.
 */
import { assert } from "../base/assert.ts";
import { CAST5_BOXES } from "./cast5-box.ts";
import { CAST5_SCHEDULE } from "./cast5-schedule.ts";
import type { EcbEncryptor } from "./primitives.ts";

const KEY_BYTES = 16;
const ROUNDS = 16;
const S = CAST5_BOXES;

export class Cast5 implements EcbEncryptor {
  readonly blockBytes = 8;
  /** Masking keys Km1…Km16, then rotation keys Kr1…Kr16. */
  readonly #keys: Int32Array;

  /** Key of 16 bytes, copied. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, `a CAST5 key has ${KEY_BYTES} bytes, not ${key.length}`);
    this.#keys = schedule(key);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const keys = this.#keys;
    for (let at = 0; at < bytes; at += 8) {
      let left = input.getInt32(inputAt + at);
      let right = input.getInt32(inputAt + at + 4);
      // Five turns of the three kinds of round; a turn is odd, so the halves change roles.
      for (let i = 0; i < ROUNDS - 1; i += 3) {
        left ^= sumRound((keys[i]! + right) | 0, keys[ROUNDS + i]!);
        right ^= xorRound(keys[i + 1]! ^ left, keys[ROUNDS + i + 1]!);
        left ^= differenceRound((keys[i + 2]! - right) | 0, keys[ROUNDS + i + 2]!);
        const swap = left;
        left = right;
        right = swap;
      }
      left ^= sumRound((keys[ROUNDS - 1]! + right) | 0, keys[2 * ROUNDS - 1]!);
      output.setInt32(at, left);
      output.setInt32(at + 4, right);
    }
  }
}

function sumRound(mixed: number, turn: number): number {
  const i = (mixed << turn) | (mixed >>> (32 - turn));
  return ((((S[i >>> 24]! ^ S[256 + ((i >>> 16) & 255)]!) - S[512 + ((i >>> 8) & 255)]!) | 0) + S[768 + (i & 255)]!) | 0;
}

function xorRound(mixed: number, turn: number): number {
  const i = (mixed << turn) | (mixed >>> (32 - turn));
  return (((S[i >>> 24]! - S[256 + ((i >>> 16) & 255)]!) | 0) + S[512 + ((i >>> 8) & 255)]!) ^ S[768 + (i & 255)]!;
}

function differenceRound(mixed: number, turn: number): number {
  const i = (mixed << turn) | (mixed >>> (32 - turn));
  return ((((S[i >>> 24]! + S[256 + ((i >>> 16) & 255)]!) | 0) ^ S[512 + ((i >>> 8) & 255)]!) - S[768 + (i & 255)]!) | 0;
}

/** K1…K32, which the specification calls Km1…Km16 and, of which five bits count, Kr1…Kr16. */
function schedule(key: Uint8Array): Int32Array {
  const keys = new Int32Array(2 * ROUNDS);
  // The bytes x0…xF and behind them z0…zF.
  const bytes = new DataView(new ArrayBuffer(2 * KEY_BYTES));
  for (let i = 0; i < KEY_BYTES; i++) bytes.setUint8(i, key[i]!);
  let next = 0;
  for (let half = 0; half < 2; half++) {
    for (const { target, base, lookups, box } of CAST5_SCHEDULE) {
      let word = base < 0 ? 0 : bytes.getInt32(base);
      lookups.forEach((byte, i) => {
        word ^= S[(i < 4 ? 4 + i : box - 1) * 256 + bytes.getUint8(byte)]!;
      });
      if (target >= 0) bytes.setInt32(target, word);
      else keys[next++] = half === 0 ? word : word & 31;
    }
  }
  return keys;
}
