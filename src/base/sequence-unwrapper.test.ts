import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "./prng.ts";
import { SequenceUnwrapper } from "./sequence-unwrapper.ts";

for (const bits of [1, 8, 16, 24, 32]) {
  test(`${bits} bits: a walk of steps below half the range unwraps to itself`, () => {
    const prng = new Prng(bits);
    const unwrapper = new SequenceUnwrapper(bits);
    const range = 2 ** bits;
    let position = prng.below(range);
    assert.equal(unwrapper.unwrap(position), position);
    for (let i = 0; i < 5000; i++) {
      position += prng.chance(0.7) ? prng.below(range / 2) : -prng.below(range / 2);
      const wrapped = ((position % range) + range) % range;
      assert.equal(unwrapper.peek(wrapped), position);
      assert.equal(unwrapper.unwrap(wrapped), position);
    }
  });
}

test("late values unwrap backwards, below zero too, and a peek changes nothing", () => {
  const unwrapper = new SequenceUnwrapper(16);
  assert.deepEqual(
    [2, 65535, 1, 0].map((value) => unwrapper.unwrap(value)),
    [2, -1, 1, 0],
  );
  assert.equal(unwrapper.peek(30_000), 30_000);
  assert.equal(unwrapper.unwrap(40_000), 40_000 - 65_536);
});

test("exactly half the range away is backwards", () => {
  const unwrapper = new SequenceUnwrapper(16);
  unwrapper.unwrap(0);
  assert.equal(unwrapper.peek(32_768), -32_768);
  assert.equal(unwrapper.peek(32_767), 32_767);
});
