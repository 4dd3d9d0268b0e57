import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnLoss } from "./own-loss.ts";

const SEGMENT = 1400;

/** `rounds` of 100 segments, of which so many are lost in each. */
function seen(rounds: number, lost: (round: number) => number): OwnLoss {
  const own = new OwnLoss();
  for (let i = 0; i < rounds; i++) own.observe(lost(i) * SEGMENT, 100 * SEGMENT);
  return own;
}

test("where nothing was lost before a single loss in a window is none of the path's", () => {
  const own = seen(20, () => 0);
  assert.ok(own.exceededBy(SEGMENT, 300 * SEGMENT));
  assert.ok(!own.exceededBy(0, 300 * SEGMENT));
});

test("a path that loses 2 % one by one loses a few more now and then, and many more seldom", () => {
  const own = seen(40, () => 2);
  assert.ok(Math.abs(own.share - 0.02) < 0.001);
  assert.ok(!own.exceededBy(10 * SEGMENT, 300 * SEGMENT));
  assert.ok(own.exceededBy(20 * SEGMENT, 300 * SEGMENT));
});

test("of a path that loses in runs more has to be missing until something else is suspected", () => {
  const own = seen(40, (i) => (i % 4 === 0 ? 8 : 0));
  assert.ok(!own.exceededBy(20 * SEGMENT, 300 * SEGMENT));
  assert.ok(own.exceededBy(60 * SEGMENT, 300 * SEGMENT));
});

test("what is lost now and then is not forgotten in a few windows without a loss", () => {
  const own = seen(48, (i) => (i < 8 ? 1 : 0));
  assert.ok(own.share < 0.0001, `${own.share}`);
  assert.ok(!own.exceededBy(SEGMENT, 300 * SEGMENT));
});

test("another path is another path", () => {
  const own = seen(40, () => 10);
  own.forget();
  assert.equal(own.share, 0);
  assert.ok(own.exceededBy(SEGMENT, 300 * SEGMENT));
});

test("of a path nothing is lost once enough was seen without parity and without a loss", () => {
  const own = new OwnLoss();
  for (let i = 0; i < 10; i++) own.observe(0, 100 * SEGMENT);
  assert.ok(!own.clean, "parity may have hidden what was lost");
  for (let i = 0; i < 5; i++) own.observe(0, 100 * SEGMENT, true);
  assert.ok(own.clean);
  own.observe(SEGMENT, 100 * SEGMENT, true);
  assert.ok(!own.clean);
});
