import assert from "node:assert/strict";
import { test } from "node:test";
import { CubicBound } from "./cubic-bound.ts";

test("what may be in flight falls to 0.7 of what was there, is back after K, and then grows beyond it", () => {
  const bound = new CubicBound(1000);
  assert.equal(bound.at(0, 100), Number.POSITIVE_INFINITY);
  bound.reduce(5000, 400_000);
  assert.equal(Math.round(bound.at(5000, 200)), 280_000);
  // K = ∛(400 · 0.3 / 0.4) s
  const k = Math.cbrt(300) * 1000;
  assert.ok(bound.at(5000 + k / 2, 200) > 380_000 && bound.at(5000 + k / 2, 200) < 400_000);
  assert.equal(Math.round(bound.at(5000 + k, 200)), 400_000);
  assert.ok(bound.at(5000 + 2 * k, 200) > 500_000);
  bound.forget();
  assert.equal(bound.at(20_000, 200), Number.POSITIVE_INFINITY);
});

test("a path of few segments is come back to as Reno would, and who shrinks comes back to less", () => {
  const bound = new CubicBound(1000);
  bound.reduce(0, 10_000);
  assert.ok(Math.abs(bound.at(100, 20) - (7000 + 5 * 529)) < 10, `${bound.at(100, 20)}`);
  bound.reduce(200, 5000);
  assert.ok(bound.at(200, 20) > 7000, "too soon");
  bound.reduce(1200, 8000);
  // Where it was lost is taken to be 0.85 · 8 segments.
  assert.ok(bound.at(1200, 20) >= 5600 - 900 && bound.at(1200, 20) <= 5600, `${bound.at(1200, 20)}`);
});
