/**
 * The fixed parts of Twofish: permutations q0 and q1 and the matrices MDS and RS. Source: "Twofish: A 128-Bit Block Cipher" (1998), section 4.3.
 */

/** q0 and q1, each made of four permutations of half a byte, one a word of 16 digits. */
const NIBBLES: readonly (readonly string[])[] = [
  ["817d6f320b59eca4", "ecb81235f4a6709d", "ba5e6d90c8f32471", "d7f4126e9b3085ca"],
  ["28bdf76e31940ac5", "1e2b4c376da5f908", "4c75169a0ed82b3f", "b951c3de647f208a"],
];
const MDS: readonly (readonly number[])[] = [
  [0x01, 0xef, 0x5b, 0x5b],
  [0x5b, 0xef, 0xef, 0x01],
  [0xef, 0x5b, 0x01, 0xef],
  [0xef, 0x01, 0xef, 0x5b],
];
/** x^8 + x^6 + x^5 + x^3 + 1. */
const MDS_POLYNOMIAL = 0x169;
const RS: readonly (readonly number[])[] = [
  [0x01, 0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e],
  [0xa4, 0x56, 0x82, 0xf3, 0x1e, 0xc6, 0x68, 0xe5],
  [0x02, 0xa1, 0xfc, 0xc1, 0x47, 0xae, 0x3d, 0x19],
  [0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e, 0x03],
];
/** x^8 + x^6 + x^3 + x^2 + 1. */
const RS_POLYNOMIAL = 0x14d;

const q = NIBBLES.map(makePermutation);

/** q0 or q1 of a byte. */
export function permute(which: 0 | 1, byte: number): number {
  return q[which]![byte]!;
}

/** What a byte at `place` (0 = lowest) adds to the product with MDS: a word, little endian. */
export function mds(place: number, byte: number): number {
  let word = 0;
  for (let row = 3; row >= 0; row--) word = (word << 8) | multiply(MDS[row]![place]!, byte, MDS_POLYNOMIAL);
  return word;
}

/** RS times eight bytes of the key: four bytes. */
export function reedSolomon(key: Uint8Array): Uint8Array {
  return Uint8Array.from(RS, (row) => row.reduce((sum, factor, i) => sum ^ multiply(factor, key[i]!, RS_POLYNOMIAL), 0));
}

/** In GF(2^8) modulo the polynomial. */
function multiply(a: number, b: number, polynomial: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x100) product ^= polynomial;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

function makePermutation(nibbles: readonly string[]): Uint8Array {
  const t = nibbles.map((digits) => Array.from(digits, (digit) => Number.parseInt(digit, 16)));
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    let a = byte >> 4;
    let b = byte & 15;
    for (let stage = 0; stage < 4; stage += 2) {
      const mixed = a ^ ((b >> 1) | ((b & 1) << 3)) ^ ((8 * a) & 15);
      a = t[stage]![a ^ b]!;
      b = t[stage + 1]![mixed]!;
    }
    return (b << 4) | a;
  });
}
