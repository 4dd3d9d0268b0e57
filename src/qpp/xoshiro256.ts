/**
 * xoshiro256**: 64-bit pseudo-random numbers in halves of 32 bits, since a BigInt a number would be an allocation a number.
 *
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021).
 */
import { assert } from "../base/assert.ts";

const SEED_BYTES = 32;
const WORDS = SEED_BYTES / 4;

export class Xoshiro256 {
  /** The number drawn last, 0 before the first: its lower and upper half, as signed integers. */
  low = 0;
  high = 0;
  /** s0…s3, the lower half of each first. */
  readonly #s = new Int32Array(WORDS);

  /** Seed of 32 bytes: s0…s3, little endian. Copied. */
  constructor(seed: Uint8Array) {
    assert(seed.length === SEED_BYTES, `a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
    const view = new DataView(seed.buffer, seed.byteOffset, SEED_BYTES);
    for (let i = 0; i < WORDS; i++) this.#s[i] = view.getInt32(4 * i, true);
  }

  /** Draws the next number into `low` and `high`. */
  next(): void {
    const s = this.#s;
    const low1 = s[2]!;
    const high1 = s[3]!;
    // (s1 × 5) turned left by 7, × 9; × 5 and × 9 are a shift and a sum.
    const low5 = ((low1 << 2) + low1) | 0;
    const high5 = (((high1 << 2) | (low1 >>> 30)) + high1 + carry(low1, low5, low1 << 2)) | 0;
    const low = (low5 << 7) | (high5 >>> 25);
    const high = (high5 << 7) | (low5 >>> 25);
    this.low = ((low << 3) + low) | 0;
    this.high = (((high << 3) | (low >>> 29)) + high + carry(low, this.low, low << 3)) | 0;

    const lowShifted = low1 << 17;
    const highShifted = (high1 << 17) | (low1 >>> 15);
    s[4]! ^= s[0]!;
    s[5]! ^= s[1]!;
    s[6]! ^= low1;
    s[7]! ^= high1;
    s[2] = low1 ^ s[4]!;
    s[3] = high1 ^ s[5]!;
    s[0]! ^= s[6]!;
    s[1]! ^= s[7]!;
    s[4]! ^= lowShifted;
    s[5]! ^= highShifted;
    // s3 turned left by 45: by 32, which swaps the halves, and by 13.
    const low3 = s[6]!;
    const high3 = s[7]!;
    s[6] = (high3 << 13) | (low3 >>> 19);
    s[7] = (low3 << 13) | (high3 >>> 19);
  }
}

/** The carry out of a + b = sum modulo 2^32. */
function carry(a: number, sum: number, b: number): number {
  return ((a & b) | ((a | b) & ~sum)) >>> 31;
}
