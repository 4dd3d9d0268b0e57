/**
 * Numbers by name: open addressing over numbers, linear probing, chains closed when one leaves.
 *
 * Beside a Map of tens of thousands of names it costs a fifth to fill, as it holds no object and its sums are computed while names are being read anyway.
 */
/** What a name's letters are folded with, one by one; `sumOf` finishes it. */
export function fold(sum: number, letter: number): number {
  return Math.imul(sum ^ letter, FOLD_FACTOR);
}

export class NameIndex {
  readonly #names: readonly (string | undefined)[];
  /** Number + 1; 0: free. */
  readonly #slots: Int32Array;
  readonly #mask: number;
  /** What is left of 32 bits when the upper ones are a place. */
  readonly #shift: number;
  /** By number. */
  readonly #sums: Int32Array;
  #size = 0;

  /** `names`: by number, of all that are here at least; numbers are below `room`. */
  constructor(names: readonly (string | undefined)[], room: number) {
    this.#names = names;
    const bits = Math.ceil(Math.log2(2 * room + 1));
    this.#mask = 2 ** bits - 1;
    this.#shift = 32 - bits;
    this.#slots = new Int32Array(this.#mask + 1);
    this.#sums = new Int32Array(room);
  }

  get size(): number {
    return this.#size;
  }

  /** The sum of a name as `add` wants it. */
  sumOf(name: string): number {
    let sum = 0;
    for (let i = 0; i < name.length; i++) sum = fold(sum, name.charCodeAt(i));
    return sum;
  }

  find(name: string): number | undefined {
    if (this.#size === 0) return undefined;
    const sum = this.sumOf(name);
    for (let at = this.#home(sum); ; at++) {
      const number = this.#slots[at & this.#mask]! - 1;
      if (number < 0) return undefined;
      if (this.#sums[number] === sum && this.#names[number] === name) return number;
    }
  }

  /** A name that is not here yet. */
  add(number: number, sum: number): void {
    let at = this.#home(sum);
    while (this.#slots[at & this.#mask] !== 0) at++;
    this.#slots[at & this.#mask] = number + 1;
    this.#sums[number] = sum;
    this.#size++;
  }

  /** Many of them: the rows whose mark has `bit`. */
  addEach(numbers: Int32Array, sums: Int32Array, marks: Uint8Array, bit: number): void {
    const [slots, shift, mask, own] = [this.#slots, this.#shift, this.#mask, this.#sums];
    let count = 0;
    for (let row = 0; row < numbers.length; row++) {
      if ((marks[row]! & bit) === 0) continue;
      const sum = sums[row]!;
      const number = numbers[row]!;
      let at = Math.imul(sum, HOME_FACTOR) >>> shift;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = number + 1;
      own[number] = sum;
      count++;
    }
    this.#size += count;
  }

  /** One that is here. */
  remove(number: number): void {
    let at = this.#home(this.#sums[number]!);
    while (this.#slots[at & this.#mask] !== number + 1) at++;
    // Whoever stands behind it in the chain and may stand here moves up.
    for (let next = at + 1; this.#slots[next & this.#mask] !== 0; next++) {
      const other = this.#slots[next & this.#mask]!;
      const home = this.#home(this.#sums[other - 1]!);
      if (((next - home) & this.#mask) < ((next - at) & this.#mask)) continue;
      this.#slots[at & this.#mask] = other;
      at = next;
    }
    this.#slots[at & this.#mask] = 0;
    this.#size--;
  }

  #home(sum: number): number {
    return Math.imul(sum, HOME_FACTOR) >>> this.#shift;
  }
}

/** As FNV-1a has it. */
const FOLD_FACTOR = 0x0100_0193;
/** 2^32 divided by the golden ratio: what differs anywhere differs in the upper bits. */
const HOME_FACTOR = 0x9e37_79b1;
