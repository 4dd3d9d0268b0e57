/**
 * SM4: 32 rounds on blocks and keys of 16 bytes, words big endian.
 *
 *   x[i+4] = x[i] ⊕ T(x[i+1] ⊕ x[i+2] ⊕ x[i+3] ⊕ rk[i])     T = S-box on each byte, then L; the last four words come out backwards
 *   rk[i] = k[i+4] = k[i] ⊕ T'(k[i+1] ⊕ k[i+2] ⊕ k[i+3] ⊕ CK[i])     with k[0…3] = key ⊕ FK, and L' in place of L
 *
 * Source: GB/T 32907-2016 (ISO/IEC 18033-3); kcptun.md section 3.
 * Deviations: S-box and L are four tables, one for each place a byte can have.
 */
import { assert } from "../base/assert.ts";
import type { EcbEncryptor } from "./primitives.ts";
import { SM4_BOX } from "./sm4-box.ts";

const KEY_BYTES = 16;
const ROUNDS = 32;
const FK: readonly number[] = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];
const T = makeTables();

export class Sm4 implements EcbEncryptor {
  readonly blockBytes = 16;
  readonly #schedule: Int32Array;

  /** Key of 16 bytes, copied. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, `an SM4 key has ${KEY_BYTES} bytes, not ${key.length}`);
    this.#schedule = schedule(key);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const rk = this.#schedule;
    for (let at = 0; at < bytes; at += 16) {
      let a = input.getInt32(inputAt + at);
      let b = input.getInt32(inputAt + at + 4);
      let c = input.getInt32(inputAt + at + 8);
      let d = input.getInt32(inputAt + at + 12);
      for (let i = 0; i < ROUNDS; i += 4) {
        a ^= transform(b ^ c ^ d ^ rk[i]!);
        b ^= transform(c ^ d ^ a ^ rk[i + 1]!);
        c ^= transform(d ^ a ^ b ^ rk[i + 2]!);
        d ^= transform(a ^ b ^ c ^ rk[i + 3]!);
      }
      output.setInt32(at, d);
      output.setInt32(at + 4, c);
      output.setInt32(at + 8, b);
      output.setInt32(at + 12, a);
    }
  }
}

function transform(x: number): number {
  return T[x >>> 24]! ^ T[256 + ((x >>> 16) & 255)]! ^ T[512 + ((x >>> 8) & 255)]! ^ T[768 + (x & 255)]!;
}

function substitute(x: number): number {
  return (SM4_BOX[x >>> 24]! << 24) | (SM4_BOX[(x >>> 16) & 255]! << 16) | (SM4_BOX[(x >>> 8) & 255]! << 8) | SM4_BOX[x & 255]!;
}

function turn(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function schedule(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES);
  const k = new Int32Array(4 + ROUNDS);
  for (let i = 0; i < 4; i++) k[i] = view.getInt32(4 * i) ^ FK[i]!;
  for (let i = 0; i < ROUNDS; i++) {
    // Byte j of CK[i] is 7 (4 i + j) modulo 256.
    let ck = 0;
    for (let j = 0; j < 4; j++) ck = (ck << 8) | ((7 * (4 * i + j)) & 255);
    const s = substitute(k[i + 1]! ^ k[i + 2]! ^ k[i + 3]! ^ ck);
    k[i + 4] = k[i]! ^ s ^ turn(s, 13) ^ turn(s, 23);
  }
  return k.slice(4);
}

function makeTables(): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let place = 0; place < 4; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const s = SM4_BOX[byte]! << (24 - 8 * place);
      tables[place * 256 + byte] = s ^ turn(s, 2) ^ turn(s, 10) ^ turn(s, 18) ^ turn(s, 24);
    }
  }
  return tables;
}
