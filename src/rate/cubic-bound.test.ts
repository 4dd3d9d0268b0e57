import assert from "node:assert/strict";
import { test } from "node:test";
import { CubicBound } from "./cubic-bound.ts";

test("what may be in flight falls to 0.7 of what was there, is back at 0.85 of it after K, and then grows beyond it", () => {
  const bound = new CubicBound(1000);
  assert.equal(bound.at(0, 100), Number.POSITIVE_INFINITY);
  bound.reduce(5000, 400_000);
  assert.equal(Math.round(bound.at(5000, 200)), 280_000);
  // K = ∛(400 · (0.85 − 0.7) / 0.4) s
  const k = Math.cbrt(150) * 1000;
  assert.ok(bound.at(5000 + k / 2, 200) > 330_000 && bound.at(5000 + k / 2, 200) < 340_000);
  assert.equal(Math.round(bound.at(5000 + k, 200)), 340_000);
  assert.ok(bound.at(5000 + 3 * k, 200) > 500_000);
  bound.forget();
  assert.equal(bound.at(20_000, 200), Number.POSITIVE_INFINITY);
});

test("who overflows a queue before others are back at their window makes them leave it no more room", () => {
  const bound = new CubicBound(1000);
  bound.reduce(0, 400_000);
  const k = Math.cbrt(150) * 1000;
  const [before, back] = [bound.at(0.6 * k, 200), 400_000];
  bound.reduce(0.4 * k, 300_000);
  assert.equal(bound.at(0.6 * k, 200), before, "too soon");
  bound.reduce(0.6 * k, back);
  // K = ∛(400 · 0.3 / 0.4) s: it comes back to all of it.
  const again = Math.cbrt(300) * 1000;
  assert.equal(Math.round(bound.at(0.6 * k, 200)), 280_000);
  assert.equal(Math.round(bound.at(0.6 * k + again, 200)), back);
});

test("a path of few segments is come back to as Reno would", () => {
  const bound = new CubicBound(1000);
  bound.reduce(0, 10_000);
  bound.reduce(3000, 10_000);
  assert.ok(Math.abs(bound.at(3100, 20) - (0.85 * 7000 + 5 * 529)) < 10, `${bound.at(3100, 20)}`);
});
