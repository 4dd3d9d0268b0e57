import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { Xoshiro256 } from "./xoshiro256.ts";

const MASK = (1n << 64n) - 1n;
const turn = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK;

/** The generator as its paper writes it. */
function reference(seed: Uint8Array): () => bigint {
  const view = new DataView(seed.buffer);
  let [a, b, c, d] = [0, 8, 16, 24].map((at) => view.getBigUint64(at, true)) as [bigint, bigint, bigint, bigint];
  return () => {
    const result = (turn((b * 5n) & MASK, 7n) * 9n) & MASK;
    const shifted = (b << 17n) & MASK;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turn(d, 45n);
    return result;
  };
}

const draw = (generator: Xoshiro256): bigint => {
  generator.next();
  return (BigInt(generator.high >>> 0) << 32n) | BigInt(generator.low >>> 0);
};

test("begins with the numbers known for the state 1, 2, 3, 4", () => {
  const seed = new Uint8Array(32);
  for (let i = 0; i < 4; i++) seed[8 * i] = i + 1;
  const generator = new Xoshiro256(seed);
  assert.deepEqual([draw(generator), draw(generator), draw(generator), draw(generator)], [11520n, 0n, 1509978240n, 1215971899390074240n]);
});

test("2,000 numbers of each of 10 seeds, all carries among them, as 64-bit arithmetic gives them", () => {
  const prng = new Prng(11);
  for (let i = 0; i < 10; i++) {
    const seed = i === 0 ? new Uint8Array(32).fill(255) : prng.fill(new Uint8Array(32));
    const generator = new Xoshiro256(seed);
    const next = reference(seed);
    for (let n = 0; n < 2000; n++) assert.equal(draw(generator), next(), `seed ${i}, number ${n}`);
  }
});
