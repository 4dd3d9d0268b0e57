/**
 * Twofish with a key of 256 bits: 16 rounds on blocks of 16 bytes, words little endian.
 *
 *   a b c d ⊕ K0…K3 ─▶ 16 rounds ─▶ c d a b ⊕ K4…K7
 *   a round   s = g(a), t = g(b <<< 8)     c = (c ⊕ (s + t + K[2r+8])) >>> 1     d = (d <<< 1) ⊕ (s + 2t + K[2r+9])     (a b) ⇄ (c d)
 *   g         four S-boxes that depend on the key, then the matrix MDS over GF(2^8) mod x^8 + x^6 + x^5 + x^3 + 1
 *
 * Source: Schneier, Kelsey, Whiting, Wagner, Hall, Ferguson, "Twofish: A 128-Bit Block Cipher" (1998) section 4; kcptun.md section 3.
 * Deviations: each S-box is stored multiplied by its column of MDS, so that g is four lookups.
 */
import { assert } from "../base/assert.ts";
import type { EcbEncryptor } from "./primitives.ts";
import { mds, permute, reedSolomon } from "./twofish-permutation.ts";

const KEY_BYTES = 32;
/** 64-bit words of the key. */
const KEY_WORDS = KEY_BYTES / 8;
const ROUNDS = 16;

/** Which of the fixed permutations q0 and q1 a byte goes through, by stage (the first is for 256-bit keys only) and place from the lowest. */
const STAGES: readonly (readonly (0 | 1)[])[] = [
  [1, 0, 0, 1],
  [1, 1, 0, 0],
  [0, 1, 0, 1],
  [0, 0, 1, 1],
  [1, 0, 1, 0],
];

export class Twofish implements EcbEncryptor {
  readonly blockBytes = 16;
  /** K0…K39. */
  readonly #keys = new Int32Array(8 + 2 * ROUNDS);
  readonly #boxes = new Int32Array(4 * 256);

  /** Key of 32 bytes, copied. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, `a Twofish key has ${KEY_BYTES} bytes here, not ${key.length}`);
    const even = new Uint8Array(4 * KEY_WORDS);
    const odd = new Uint8Array(4 * KEY_WORDS);
    const s = new Uint8Array(4 * KEY_WORDS);
    for (let i = 0; i < KEY_WORDS; i++) {
      even.set(key.subarray(8 * i, 8 * i + 4), 4 * i);
      odd.set(key.subarray(8 * i + 4, 8 * i + 8), 4 * i);
      // These words go in backwards.
      s.set(reedSolomon(key.subarray(8 * i, 8 * i + 8)), 4 * (KEY_WORDS - 1 - i));
    }
    for (let i = 0; i < this.#keys.length; i += 2) {
      const a = substitute(i, even);
      const b = turn(substitute(i + 1, odd), 8);
      this.#keys[i] = a + b;
      this.#keys[i + 1] = turn((a + 2 * b) | 0, 9);
    }
    for (let place = 0; place < 4; place++) {
      for (let byte = 0; byte < 256; byte++) this.#boxes[place * 256 + byte] = mds(place, boxed(place, byte, s));
    }
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const keys = this.#keys;
    const boxes = this.#boxes;
    for (let at = 0; at < bytes; at += 16) {
      let a = input.getInt32(inputAt + at, true) ^ keys[0]!;
      let b = input.getInt32(inputAt + at + 4, true) ^ keys[1]!;
      let c = input.getInt32(inputAt + at + 8, true) ^ keys[2]!;
      let d = input.getInt32(inputAt + at + 12, true) ^ keys[3]!;
      for (let k = 8; k < 8 + 2 * ROUNDS; k += 4) {
        let s = g(boxes, a);
        let t = g(boxes, (b << 8) | (b >>> 24));
        s = (s + t) | 0;
        c ^= (s + keys[k]!) | 0;
        c = (c >>> 1) | (c << 31);
        d = ((d << 1) | (d >>> 31)) ^ ((((s + t) | 0) + keys[k + 1]!) | 0);
        s = g(boxes, c);
        t = g(boxes, (d << 8) | (d >>> 24));
        s = (s + t) | 0;
        a ^= (s + keys[k + 2]!) | 0;
        a = (a >>> 1) | (a << 31);
        b = ((b << 1) | (b >>> 31)) ^ ((((s + t) | 0) + keys[k + 3]!) | 0);
      }
      output.setInt32(at, c ^ keys[4]!, true);
      output.setInt32(at + 4, d ^ keys[5]!, true);
      output.setInt32(at + 8, a ^ keys[6]!, true);
      output.setInt32(at + 12, b ^ keys[7]!, true);
    }
  }
}

function g(boxes: Int32Array, x: number): number {
  return boxes[x & 255]! ^ boxes[256 + ((x >>> 8) & 255)]! ^ boxes[512 + ((x >>> 16) & 255)]! ^ boxes[768 + (x >>> 24)]!;
}

function turn(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** The function h of the paper, of a word whose four bytes are all `byte`. */
function substitute(byte: number, words: Uint8Array): number {
  let result = 0;
  for (let place = 0; place < 4; place++) result ^= mds(place, boxed(place, byte, words));
  return result;
}

/** One byte through the permutations of its place, XORed in between with the bytes of `words`, the last word first. */
function boxed(place: number, byte: number, words: Uint8Array): number {
  let y = byte;
  STAGES.forEach((stage, i) => {
    y = permute(stage[place]!, y);
    if (i < KEY_WORDS) y ^= words[4 * (KEY_WORDS - 1 - i) + place]!;
  });
  return y;
}
