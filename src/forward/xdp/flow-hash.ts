/**
 * The hash of flow tables, as bpf/flows.h has it: 64-bit multiplications, here in two halves.
 *
 * Where a flow stands depends on a seed that is made with the table, so that nobody outside can send what falls into one place.
 */
import type { FlowLayout } from "./layout.ts";

export class FlowHash {
  readonly #seed: Uint32Array;
  #low = 0;
  #high = 0;

  /** `seed`: two words, read with every call. */
  constructor(seed: Uint32Array) {
    this.#seed = seed;
  }

  /** 32 bits; `words` holds the key from word `at` on. */
  of(layout: FlowLayout, words: Int32Array, at: number): number {
    const last = at + layout.ports / 4;
    this.#low = words[last]!;
    this.#high = 0;
    this.#multiply(SOWN_LOW, SOWN_HIGH);
    this.#low ^= this.#seed[0]!;
    this.#high ^= this.#seed[1]!;
    for (let word = at; word < last; word += 2) {
      this.#low ^= words[word]!;
      this.#high ^= words[word + 1]!;
      this.#multiply(SCRAMBLE_LOW, SCRAMBLE_HIGH);
      this.#low ^= this.#high;
    }
    this.#multiply(HARVESTED_LOW, HARVESTED_HIGH);
    return this.#high >>> 0;
  }

  #multiply(low: number, high: number): void {
    const a = this.#low & 0xffff;
    const b = this.#low >>> 16;
    const c = low & 0xffff;
    const d = low >>> 16;
    const first = b * c + ((a * c) >>> 16);
    const second = (first & 0xffff) + a * d;
    const carry = b * d + (first >>> 16) + (second >>> 16);
    this.#high = (carry + Math.imul(this.#high, low) + Math.imul(this.#low, high)) | 0;
    this.#low = Math.imul(this.#low, low);
  }
}

const SOWN_LOW = 0xed558ccd;
const SOWN_HIGH = 0xff51afd7;
const SCRAMBLE_LOW = 0x1e98df25;
const SCRAMBLE_HIGH = 0x9fb21c65;
const HARVESTED_LOW = 0x6659fd93;
const HARVESTED_HIGH = 0xd6e8feb8;
