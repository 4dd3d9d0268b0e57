import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { mulAdd, multiply } from "./gf256.ts";

/** Multiplication by the definition: shift, add, reduce by 0x11D. */
function slowly(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

test("products are those of the polynomial 0x11D", () => {
  for (let a = 0; a < 256; a++) for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), slowly(a, b));
});

test("mulAdd adds the product to exactly the bytes asked for", () => {
  const prng = new Prng(1);
  const source = prng.fill(new Uint8Array(64));
  for (const coefficient of [0, 1, 2, 0x8e, 255]) {
    for (let length = 0; length < 40; length++) {
      const target = prng.fill(new Uint8Array(64));
      const expected = target.map((byte, i) => (i >= 5 && i < 5 + length ? byte ^ slowly(coefficient, source[i - 5 + 3]!) : byte));
      mulAdd(coefficient, source, 3, target, 5, length);
      assert.deepEqual(target, expected);
    }
  }
});
