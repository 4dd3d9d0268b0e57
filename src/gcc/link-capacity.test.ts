/** Arithmetic of reference/gcc.md C2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkCapacity } from "./link-capacity.ts";

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6 * expected, `${actual}, not ${expected}`);

test("without a sample there are no bounds", () => {
  const capacity = new LinkCapacity();
  assert.equal(capacity.known, false);
  assert.equal(capacity.upperBound, Number.POSITIVE_INFINITY);
  assert.equal(capacity.lowerBound, 0);
});

test("the first sample is the mean, ± 3 · √(0.4 · mean)", () => {
  const capacity = new LinkCapacity();
  capacity.onOveruse(500_000);
  near(capacity.estimate, 500_000);
  const deviation = Math.sqrt(0.4 * 500) * 1000;
  near(capacity.upperBound, 500_000 + 3 * deviation);
  near(capacity.lowerBound, 500_000 - 3 * deviation);
});

test("further samples weigh 5 %, probes 50 %; the variance stays in 0.4…2.5", () => {
  const capacity = new LinkCapacity();
  capacity.onOveruse(500_000);
  capacity.onOveruse(600_000);
  near(capacity.estimate, 505_000);
  // 0.95 · 0.4 + 0.05 · 95² / 505
  const variance = 0.95 * 0.4 + (0.05 * 95 * 95) / 505;
  near(capacity.upperBound, (505 + 3 * Math.sqrt(variance * 505)) * 1000);
  capacity.onProbe(1_505_000);
  near(capacity.estimate, 1_005_000);
  near(capacity.upperBound, (1005 + 3 * Math.sqrt(2.5 * 1005)) * 1000);
});

test("a reset forgets the mean", () => {
  const capacity = new LinkCapacity();
  capacity.onOveruse(500_000);
  capacity.reset();
  assert.equal(capacity.known, false);
  capacity.onOveruse(100_000);
  near(capacity.estimate, 100_000);
  assert.ok(capacity.lowerBound >= 0);
});
