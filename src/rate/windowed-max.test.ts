import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { WindowedMax } from "./windowed-max.ts";

test("the greatest is kept for its span and then gives way to the next best", () => {
  const max = new WindowedMax(10);
  assert.equal(max.value, 0);
  max.add(0, 5);
  for (let tick = 1; tick <= 10; tick++) {
    max.add(tick, 3);
    assert.equal(max.value, 5, `tick ${tick}`);
  }
  max.add(11, 2);
  assert.equal(max.value, 3);
  max.add(12, 9);
  assert.equal(max.value, 9);
});

test("it is never below what was just added, and never above the true maximum of a span and a half", () => {
  const prng = new Prng(7);
  const max = new WindowedMax(10);
  const values: number[] = [];
  for (let tick = 0; tick < 2000; tick++) {
    const value = prng.float();
    values.push(value);
    max.add(tick, value);
    assert.ok(max.value >= value);
    assert.ok(max.value <= Math.max(...values.slice(-16)));
  }
});
