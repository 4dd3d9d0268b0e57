/**
 * Triple DES: encrypt, decrypt, encrypt with three keys; blocks of 8 bytes, keys of 24, words big endian.
 *
 *   IP ─▶ 16 rounds, key 1 ─▶ swap ─▶ 16 rounds, key 2 backwards ─▶ swap ─▶ 16 rounds, key 3 ─▶ swap ─▶ FP
 *
 *   a round takes eight groups of six bits, each with one bit of its neighbours:
 *     right, turned right by 1      │ S1 ··│ S3 ··│ S5 ··│ S7 ··│     a group in the upper six bits of each byte
 *     the same, turned left by 4    │ S2 ··│ S4 ··│ S6 ··│ S8 ··│
 *
 * Source: FIPS 46-3; kcptun.md section 3.
 * Deviations: FP and IP between the three passes cancel and are left out. Both halves stay turned right by one bit throughout, so that
 * the groups lie as drawn; S-box and permutation P are one table; a round's key is two words laid out like the groups.
 */
import { assert } from "../base/assert.ts";
import { P, PC1, PC2, S_BOXES, SHIFTS } from "./des-table.ts";
import type { EcbEncryptor } from "./primitives.ts";

const KEY_BYTES = 24;
const ROUNDS = 16;
const SP = makeBoxes();

export class TripleDes implements EcbEncryptor {
  readonly blockBytes = 8;
  /** Two words a round, in the order the rounds are gone through. */
  readonly #schedule = new Int32Array(3 * ROUNDS * 2);

  /** Key of 24 bytes, copied; the lowest bit of each byte counts for nothing. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, `a triple DES key has ${KEY_BYTES} bytes, not ${key.length}`);
    for (let pass = 0; pass < 3; pass++) schedule(key, pass * 8, this.#schedule, pass * ROUNDS, pass === 1);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    const keys = this.#schedule;
    for (let block = 0; block < bytes; block += 8) {
      let left = input.getInt32(inputAt + block);
      let right = input.getInt32(inputAt + block + 4);
      // IP: the halves trade bits until the columns of the 8 × 8 matrix of bits are its rows.
      let trade = ((left >>> 4) ^ right) & 0x0f0f0f0f;
      right ^= trade;
      left ^= trade << 4;
      trade = ((left >>> 16) ^ right) & 0xffff;
      right ^= trade;
      left ^= trade << 16;
      trade = ((right >>> 2) ^ left) & 0x33333333;
      left ^= trade;
      right ^= trade << 2;
      trade = ((right >>> 8) ^ left) & 0x00ff00ff;
      left ^= trade;
      right ^= trade << 8;
      trade = ((left >>> 1) ^ right) & 0x55555555;
      right = (right ^ trade) | 0;
      left ^= trade << 1;
      left = (left >>> 1) | (left << 31);
      right = (right >>> 1) | (right << 31);
      for (let pass = 0; pass < 3; pass++) {
        const last = (pass + 1) * 2 * ROUNDS;
        for (let k = pass * 2 * ROUNDS; k < last; k += 4) {
          left ^= round(right, keys[k]!, keys[k + 1]!);
          right ^= round(left, keys[k + 2]!, keys[k + 3]!);
        }
        const swap = left;
        left = right;
        right = swap;
      }
      // FP: the same backwards.
      left = (left << 1) | (left >>> 31);
      right = (right << 1) | (right >>> 31);
      trade = ((left >>> 1) ^ right) & 0x55555555;
      right ^= trade;
      left ^= trade << 1;
      trade = ((right >>> 8) ^ left) & 0x00ff00ff;
      left ^= trade;
      right ^= trade << 8;
      trade = ((right >>> 2) ^ left) & 0x33333333;
      left ^= trade;
      right ^= trade << 2;
      trade = ((left >>> 16) ^ right) & 0xffff;
      right ^= trade;
      left ^= trade << 16;
      trade = ((left >>> 4) ^ right) & 0x0f0f0f0f;
      output.setInt32(block + 4, right ^ trade);
      output.setInt32(block, left ^ (trade << 4));
    }
  }
}

function round(half: number, oddKey: number, evenKey: number): number {
  const odd = half ^ oddKey;
  const even = ((half << 4) | (half >>> 28)) ^ evenKey;
  return (
    SP[odd >>> 26]! ^
    SP[128 + ((odd >>> 18) & 63)]! ^
    SP[256 + ((odd >>> 10) & 63)]! ^
    SP[384 + ((odd >>> 2) & 63)]! ^
    SP[64 + (even >>> 26)]! ^
    SP[192 + ((even >>> 18) & 63)]! ^
    SP[320 + ((even >>> 10) & 63)]! ^
    SP[448 + ((even >>> 2) & 63)]!
  );
}

/** The 16 round keys of the 8 bytes at `at`, written as rounds first…first + 15 of `into`. */
function schedule(key: Uint8Array, at: number, into: Int32Array, first: number, backwards: boolean): void {
  const chosen = PC1.map((bit) => (key[at + ((bit - 1) >> 3)]! >> (7 - ((bit - 1) & 7))) & 1);
  let turned = 0;
  for (let i = 0; i < ROUNDS; i++) {
    turned += SHIFTS[i]!;
    const k = 2 * (first + (backwards ? ROUNDS - 1 - i : i));
    PC2.forEach((bit, n) => {
      const half = bit > 28 ? 28 : 0;
      const value = chosen[half + ((bit - 1 - half + turned) % 28)]!;
      const group = Math.floor(n / 6);
      // S1, S3, S5, S7 belong to the first word, their neighbours to the second; two bits between groups stay 0.
      into[k + (group & 1)]! |= value << (31 - (group >> 1) * 8 - (n % 6));
    });
  }
}

/** S-boxes followed by P, each result turned right by one bit: entry box × 64 + group. */
function makeBoxes(): Int32Array {
  const boxes = new Int32Array(512);
  S_BOXES.forEach((rows, box) => {
    for (let group = 0; group < 64; group++) {
      // The outer two bits of a group choose the row, the inner four the column; a row takes 17 characters.
      const row = ((group >> 4) & 2) | (group & 1);
      const value = Number.parseInt(rows[row * 17 + ((group >> 1) & 15)]!, 16);
      const placed = value << (28 - 4 * box);
      let result = 0;
      P.forEach((bit, n) => {
        result |= ((placed >>> (32 - bit)) & 1) << (31 - n);
      });
      boxes[box * 64 + group] = (result >>> 1) | (result << 31);
    }
  });
  return boxes;
}
