import assert from "node:assert/strict";
import { test } from "node:test";
import { LossBasedV0 } from "./loss-based-v0.ts";
import { RateMinimum } from "./rate-minimum.ts";

const SECOND = 1_000_000;

/** Runs the rule every 25 ms from `from` to `to`; answers the target after it. */
function run(v0: LossBasedV0, target: number, from: number, to: number, rtt = 0): number {
  let rate = target;
  for (let now = from; now <= to; now += 25_000) {
    v0.remember(now, rate);
    rate = v0.next(now, rate, rtt);
  }
  return rate;
}

test("no loss: 8 % and 1 kbit/s a second, however often it is asked", () => {
  const v0 = new LossBasedV0();
  assert.equal(v0.onPacketsLost(0, 0, 100), true);
  const rate = run(v0, 300_000, 0, SECOND - 25_000);
  // Within the first second every step counts from the least of it, the start.
  assert.equal(rate, 300_000 * 1.08 + 0.5 + 1000);
  const later = run(v0, rate, SECOND, 3 * SECOND);
  assert.ok(later > 370_000 && later < 420_000, `${later}`);
});

test("measured growth of Chromium 156 without TWCC: exactly × 1.08 + 1 kbit/s a second (gcc.md N)", () => {
  const v0 = new LossBasedV0();
  let rate = 300_000;
  const measured: Readonly<Record<number, number>> = { 3: 325, 5: 381, 10: 566, 15: 837, 20: 1236 };
  // Its first receiver report came between the second and the third second.
  for (let now = 2.5 * SECOND; now <= 20 * SECOND; now += 25_000) {
    if (now % SECOND === SECOND / 2) v0.onPacketsLost(now, 0, 50);
    v0.remember(now, rate);
    rate = v0.next(now, rate, 0);
    const expected = measured[now / SECOND];
    if (expected !== undefined) assert.ok(Math.abs(rate / 1000 - expected) < 1, `${now / SECOND} s: ${rate}`);
  }
});

test("2 to 10 % hold the rate, 2 % still lets it grow", () => {
  const v0 = new LossBasedV0();
  v0.onPacketsLost(0, 5, 256);
  assert.equal(v0.fractionLost, 5);
  assert.ok(run(v0, 100_000, 0, 100_000) > 100_000, "5/256 is below 2 %");
  v0.onPacketsLost(200_000, 6, 256);
  assert.equal(run(v0, 100_000, 200_000, 3 * SECOND), 100_000);
  v0.onPacketsLost(3 * SECOND, 25, 256);
  assert.equal(run(v0, 100_000, 3 * SECOND, 4 * SECOND), 100_000);
});

test("above 10 %: less by half the loss, once a sample, not within 300 ms + RTT of the last", () => {
  const v0 = new LossBasedV0();
  v0.onPacketsLost(0, 128, 256);
  assert.equal(run(v0, 1_000_000, 0, SECOND), 750_000, "once, though asked 41 times");
  v0.onPacketsLost(SECOND, 128, 256);
  assert.equal(run(v0, 750_000, SECOND, SECOND), 562_500);
  v0.onPacketsLost(SECOND + 100_000, 128, 256);
  assert.equal(run(v0, 562_500, SECOND + 100_000, SECOND + 475_000, 200_000), 562_500);
  assert.equal(run(v0, 562_500, SECOND + 500_000, SECOND + 500_000, 200_000), 421_875);
});

test("a sample needs 20 packets, gathered over reports", () => {
  const v0 = new LossBasedV0();
  assert.equal(v0.onPacketsLost(0, 2, 19), false);
  assert.equal(v0.fractionLost, 0);
  assert.equal(v0.firstReportAt, 0);
  assert.equal(v0.onPacketsLost(1, 2, 1), true);
  assert.equal(v0.fractionLost, Math.floor((4 * 256) / 20));
  assert.equal(v0.onPacketsLost(2, 0, 0), false);
});

test("hostile reports: negative, more than all, not numbers", () => {
  const v0 = new LossBasedV0();
  v0.onPacketsLost(0, -100, 50);
  assert.equal(v0.fractionLost, 0);
  v0.onPacketsLost(1, 1e9, 50);
  assert.equal(v0.fractionLost, 255);
  assert.equal(v0.onPacketsLost(2, 0, Number.NaN), false);
});

test("six seconds after the last report the rate stands", () => {
  const v0 = new LossBasedV0();
  v0.onPacketsLost(0, 0, 100);
  const rate = run(v0, 100_000, 0, 5.975 * SECOND);
  assert.ok(rate > 140_000);
  assert.equal(run(v0, rate, 6 * SECOND, 20 * SECOND), rate);
});

test("minimum of a window: against a plain search", () => {
  const minimum = new RateMinimum(SECOND);
  const all: [number, number][] = [];
  let x = 1;
  for (let now = 0; now < 20 * SECOND; now += 40_000) {
    x = (x * 48271) % 2147483647;
    minimum.push(now, x);
    all.push([now, x]);
    const inside = all.filter(([time]) => now - time + 1000 <= SECOND).map(([, rate]) => rate);
    assert.equal(minimum.minimum, Math.min(...inside));
  }
  minimum.clear();
  assert.equal(minimum.minimum, Number.POSITIVE_INFINITY);
});

test("minimum of a window: a full queue keeps the minimum", () => {
  const minimum = new RateMinimum(SECOND, 4);
  for (let i = 0; i < 8; i++) minimum.push(i, 100 + i);
  assert.equal(minimum.minimum, 100);
  assert.equal(minimum.overflows, 4);
});
