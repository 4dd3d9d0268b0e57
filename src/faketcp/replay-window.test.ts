import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { ReplayWindow } from "./replay-window.ts";

const halves = (seq: bigint): [number, number] => [Number(seq >> 32n), Number(seq & 0xffff_ffffn)];

test("each number is taken once, none that is 4,000 behind, across the border of the halves", () => {
  const random = new Prng(7);
  const window = new ReplayWindow();
  const seen = new Set<bigint>();
  let highest = 0n;
  const base = (5n << 32n) - 20_000n;
  for (let i = 0; i < 40_000; i++) {
    const seq = base + BigInt(i) + BigInt(random.below(9000)) - 4500n;
    const expected = seq > highest || (highest - seq < 4000n && !seen.has(seq));
    assert.equal(window.accept(...halves(seq)), expected, `${i}: ${seq} with ${highest}`);
    seen.add(seq);
    if (seq > highest) highest = seq;
  }
});

test("a new connection begins anywhere", () => {
  const window = new ReplayWindow();
  assert.equal(window.accept(...halves(2n ** 62n)), true);
  assert.equal(window.accept(...halves(17n)), false);
  window.reset();
  assert.equal(window.accept(...halves(17n)), true);
  assert.equal(window.accept(...halves(17n)), false);
});
