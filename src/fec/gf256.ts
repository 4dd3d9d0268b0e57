/**
 * Arithmetic in GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D), generator 2. Addition is XOR.
 * Source: kcptun.md section 4.1.
 */
const POLYNOMIAL = 0x11d;

/** exp[i] = 2^i for i = 0…509, so that the sum of two logarithms needs no modulo. */
export const exp = new Uint8Array(510);
/** log[x] for x = 1…255; log[0] does not exist and reads 0. */
export const log = new Uint8Array(256);
fillPowers();

/** products[a · 256 + b] = a·b. */
const products = makeProducts();

export function multiply(a: number, b: number): number {
  return products[(a << 8) | b]!;
}

/**
 * target[tOff…) += coefficient · source[sOff…), `length` bytes: the inner loop of every repair.
 * A kernel with vector instructions can stand in for it: same arguments, same bytes.
 */
export function mulAdd(coefficient: number, source: Uint8Array, sOff: number, target: Uint8Array, tOff: number, length: number): void {
  const row = coefficient << 8;
  const end = (sOff + length) | 0;
  let to = tOff | 0;
  // `| 0` tells the compiler that no sum overflows, which it would otherwise check at every byte.
  for (let from = sOff | 0; from < end; from = (from + 1) | 0) {
    target[to] = target[to]! ^ products[row | source[from]!]!;
    to = (to + 1) | 0;
  }
}

function fillPowers(): void {
  let power = 1;
  for (let i = 0; i < 255; i++) {
    exp[i] = power;
    exp[i + 255] = power;
    log[power] = i;
    power <<= 1;
    if (power > 255) power ^= POLYNOMIAL;
  }
}

function makeProducts(): Uint8Array {
  const table = new Uint8Array(65536);
  for (let a = 1; a < 256; a++) {
    for (let b = 1; b < 256; b++) table[(a << 8) | b] = exp[log[a]! + log[b]!]!;
  }
  return table;
}
