/**
 * The Reed–Solomon code of kcp-go (klauspost/reedsolomon, Backblaze): Vandermonde rows r^c times the inverse of their top square.
 *
 *   That product says: byte k of the data shards is the value at point k of a polynomial of degree < ds, and parity shard i is its value
 *   at point ds + i. So any ds shards fix the polynomial, and any shard is a weighted sum of any other ds (Lagrange):
 *
 *     shard(x) = Σ  shard(k) ·  Π (x − j) / (k − j)        over known points k; product over known j ≠ k
 *                k             j
 *
 * Encoding (known: the data points) and repair (known: whatever arrived) are therefore one formula, and no matrix is inverted.
 * Source: kcptun.md section 4.1. The result is the same matrix (test against the recorded parity rows).
 */
import { assert } from "../base/assert.ts";
import { exp, log } from "./gf256.ts";
import { SHARDS_MAX } from "./packet.ts";

export class Interpolation {
  readonly #points = new Uint8Array(SHARDS_MAX);
  /** Logarithm of Π (k − j) of each known point. */
  readonly #denominators = new Uint8Array(SHARDS_MAX);
  #count = 0;

  /** Takes the first `count` of `points`, all different, as the known ones. Work: count². */
  load(points: Uint8Array, count: number): void {
    for (let k = 0; k < count; k++) {
      const point = points[k]!;
      let sum = 0;
      for (let j = 0; j < count; j++) if (j !== k) sum += log[point ^ points[j]!]!;
      this.#points[k] = point;
      this.#denominators[k] = sum % 255;
    }
    this.#count = count;
  }

  /** Writes the weight of each known point for the value at `target`, which must not be a known point. */
  weights(target: number, into: Uint8Array): void {
    let numerator = 0;
    for (let k = 0; k < this.#count; k++) {
      assert(this.#points[k] !== target, "a known shard needs no interpolation");
      numerator += log[target ^ this.#points[k]!]!;
    }
    numerator %= 255;
    for (let k = 0; k < this.#count; k++) {
      const quotient = numerator - log[target ^ this.#points[k]!]! - this.#denominators[k]!;
      into[k] = exp[(quotient + 510) % 255]!;
    }
  }
}

/** The parity rows of the code: weight of data shard `column` in parity shard `row` at row · columns + column. */
export function parityWeights(columns: number, rows: number): Uint8Array {
  const points = Uint8Array.from({ length: columns }, (_, k) => k);
  const code = new Interpolation();
  code.load(points, columns);
  const weights = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) code.weights(columns + row, weights.subarray(row * columns));
  return weights;
}
