import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { OveruseEstimator } from "./overuse-estimator.ts";

test("larger frames that take longer are no growth of delay", () => {
  const estimator = new OveruseEstimator();
  const random = new Prng(3);
  // A path of 1 Mbit/s: 0.008 ms a byte.
  for (let i = 0; i < 2000; i++) {
    const size = Math.round(random.normal() * 1000);
    estimator.update(33 + 0.008 * size, 33, size, "normal");
  }
  assert.ok(Math.abs(estimator.offset) < 0.01, `${estimator.offset}`);
});

test("delay that grows with every group is the offset", () => {
  const estimator = new OveruseEstimator();
  for (let i = 0; i < 2000; i++) estimator.update(33.5, 33, 0, "overusing");
  assert.ok(Math.abs(estimator.offset - 0.5) < 0.01, `${estimator.offset}`);
  assert.ok(Math.abs(estimator.signal - 60 * estimator.offset) < 1e-12, "counted 60 times at most");
});

test("the first update, by the equations of the filter", () => {
  const estimator = new OveruseEstimator();
  estimator.update(40, 33, 100, "overusing");
  // Not normal: the noise stays 50. P = diag(100 + 1e-13, 0.1 + 1e-3), h = (100, 1).
  const p0 = 100 + 1e-13;
  const p1 = 0.1 + 1e-3;
  const residual = 40 - 33 - (8 / 512) * 100;
  const gain = p1 / (50 + p0 * 100 * 100 + p1);
  assert.ok(Math.abs(estimator.offset - gain * residual) < 1e-15);
});

test("residuals beyond three deviations are clipped before they count as noise", () => {
  const offsetAfterSpike = (spike: number): number => {
    const estimator = new OveruseEstimator();
    for (let i = 0; i < 100; i++) estimator.update(33 + (i % 2), 33.5, 0, "normal");
    estimator.update(33.5 + spike, 33.5, 0, "normal");
    const before = estimator.offset;
    // The gain of what follows shows the noise: the smaller, the larger the noise was taken to be.
    estimator.update(34.5 + before, 33.5, 0, "overusing");
    return estimator.offset - before;
  };
  assert.ok(offsetAfterSpike(1) > offsetAfterSpike(1000));
  assert.equal(offsetAfterSpike(1000) > 0, true);
});

test("1500 updates agree with the filter written as matrices, noise included", () => {
  const random = new Prng(99);
  const estimator = new OveruseEstimator();
  let state = [8 / 512, 0];
  let p = [
    [100, 0],
    [0, 0.1],
  ];
  let [mean, variance, before] = [0, 50, 0];
  const periods: number[] = [];
  for (let n = 1; n <= 1500; n++) {
    const sendDelta = 20 + random.below(30);
    const size = random.below(2000) - 1000;
    const arrivalDelta = sendDelta + random.normal() * (n % 500 < 250 ? 4 : 0.1) + (random.chance(0.02) ? 60 : 0);
    const usage = (["normal", "normal", "overusing", "underusing"] as const)[random.below(4)] ?? "normal";
    estimator.update(arrivalDelta, sendDelta, size, usage);

    periods.push(sendDelta);
    const [slope = 0, offset = 0] = state;
    const reverting = (usage === "overusing" && offset < before) || (usage === "underusing" && offset > before);
    const q = [1e-13, reverting ? 1.1e-2 : 1e-3];
    const h = [size, 1];
    p = p.map((row, i) => row.map((value, j) => value + (i === j ? (q[i] ?? 0) : 0)));
    const residual = arrivalDelta - sendDelta - slope * size - offset;
    if (usage === "normal") {
      const limit = 3 * Math.sqrt(variance);
      const clipped = Math.abs(residual) < limit ? residual : Math.sign(residual) * limit;
      const keep = (1 - (n > 300 ? 0.002 : 0.01)) ** ((Math.min(...periods.slice(-60)) * 30) / 1000);
      mean = keep * mean + (1 - keep) * clipped;
      variance = Math.max(keep * variance + (1 - keep) * (mean - clipped) ** 2, 1);
    }
    const ph = p.map((row) => row.reduce((sum, value, j) => sum + value * (h[j] ?? 0), 0));
    const s = variance + ph.reduce((sum, value, i) => sum + value * (h[i] ?? 0), 0);
    const k = ph.map((value) => value / s);
    const hp = [0, 1].map((j) => h.reduce((sum, value, i) => sum + value * (p[i]?.[j] ?? 0), 0));
    p = p.map((row, i) => row.map((value, j) => value - (k[i] ?? 0) * (hp[j] ?? 0)));
    before = offset;
    state = state.map((value, i) => value + (k[i] ?? 0) * residual);
    assert.ok(Math.abs(estimator.offset - (state[1] ?? 0)) < 1e-9, `update ${n}: ${estimator.offset}, not ${state[1]}`);
  }
  assert.ok(variance > 1);
});

test("reset brings back the beginning", () => {
  const used = new OveruseEstimator();
  for (let i = 0; i < 100; i++) used.update(34 + (i % 3), 33, i * 10, "normal");
  used.reset();
  const fresh = new OveruseEstimator();
  for (let i = 0; i < 10; i++) {
    used.update(34, 33, i, "normal");
    fresh.update(34, 33, i, "normal");
    assert.equal(used.offset, fresh.offset);
  }
});
