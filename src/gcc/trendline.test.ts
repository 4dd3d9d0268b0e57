/** Expectations of libwebrtc's TrendlineEstimator tests, and the arithmetic of reference/gcc.md C1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Trendline } from "./trendline.ts";

const PACKETS = 25;
const GAP = 20_000;

/** Runs 25 packets sent 20 ms apart that arrive `stretch` times as far apart; answers the state and after how many deltas it was reached. */
function run(stretch: number): { state: string; at: number; line: Trendline } {
  const line = new Trendline();
  let at = PACKETS;
  for (let i = 1; i < PACKETS; i++) {
    const arrival = Math.floor((stretch * GAP * i) / 1000) * 1000;
    const before = Math.floor((stretch * GAP * (i - 1)) / 1000) * 1000;
    line.update(arrival - before, GAP, 987_654_321_000 + arrival);
    if (line.state !== "normal" && at === PACKETS) at = i;
  }
  return { state: line.state, at, line };
}

test("even delivery is normal", () => {
  assert.deepEqual({ state: run(1).state, at: run(1).at }, { state: "normal", at: PACKETS });
});

test("delivery 10 % slower is an overuse, and stays one", () => {
  const { state, at } = run(1.1);
  assert.equal(state, "overusing");
  assert.ok(at >= 20 && at < PACKETS, `${at}`);
});

test("delivery 15 % faster is an underuse, and stays one", () => {
  const { state, at } = run(0.85);
  assert.equal(state, "underusing");
  assert.ok(at >= 20 && at < PACKETS, `${at}`);
});

test("the slope is 0 until 20 points are there, then the least squares of the smoothed delay", () => {
  const line = new Trendline();
  const xs: number[] = [];
  const ys: number[] = [];
  let delay = 0;
  let smoothed = 0;
  let arrival = 5_000_000;
  for (let i = 0; i < 30; i++) {
    const delta = 20_000 + ((i * 7919) % 900);
    arrival += delta;
    line.update(delta, GAP, arrival);
    delay += (delta - GAP) / 1000;
    smoothed = 0.9 * smoothed + 0.1 * delay;
    xs.push(arrival / 1000);
    ys.push(smoothed);
    if (i < 19) {
      assert.equal(line.slope, 0);
      continue;
    }
    const x = xs.slice(-20);
    const y = ys.slice(-20);
    const mx = x.reduce((a, b) => a + b) / 20;
    const my = y.reduce((a, b) => a + b) / 20;
    const covariance = x.reduce((sum, v, k) => sum + (v - mx) * ((y[k] ?? 0) - my), 0);
    const variance = x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
    assert.ok(Math.abs(line.slope - covariance / variance) < 1e-9, `${line.slope} ${covariance / variance}`);
  }
});

test("the signal is min(deltas, 60) · slope · 4: how steep a delay has to grow to be an overuse", () => {
  /** Deltas until an overuse is seen when the delay grows `micros` with every group of 20 ms, at most 400. */
  const seenAfter = (micros: number): number => {
    const line = new Trendline();
    for (let i = 1; i <= 400; i++) {
      line.update(GAP + micros, GAP, i * (GAP + micros));
      if (line.state === "overusing") return i;
    }
    return Number.POSITIVE_INFINITY;
  };
  // A slope of s against the threshold of 6, its least: 60 · s · 4 > 6 from s = 0.025 on, which is 0.513 ms in 20.513.
  assert.equal(seenAfter(505), Number.POSITIVE_INFINITY);
  assert.ok(seenAfter(521) < 400);
  // Before the 60th delta the signal is smaller in proportion: 20 · s · 4 > 12.5 from s = 0.156 on, of which smoothing passes less at first.
  assert.ok(seenAfter(10_000) === 21, `${seenAfter(10_000)}`);
});

test("points that arrive at once leave the slope as it was", () => {
  const line = new Trendline();
  for (let i = 0; i < 40; i++) line.update(0, 1000, 7_000_000);
  assert.equal(line.slope, 0);
});

test("a window outside 10…200 is a mistake", () => {
  assert.throws(() => new Trendline(9), /10…200/);
  assert.throws(() => new Trendline(201), /10…200/);
});
