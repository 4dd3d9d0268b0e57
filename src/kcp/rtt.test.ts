import assert from "node:assert/strict";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { RTT_BOUNDS_MS, Rtt } from "./rtt.ts";

interface Run {
  readonly interval: number;
  readonly nodelay: 0 | 1;
  readonly steps: readonly { readonly rtt: number; readonly srtt: number; readonly rttvar: number; readonly rto: number }[];
}

test("the estimator follows kcp-go through 76 steps", { skip: vectorsMissing }, () => {
  let steps = 0;
  for (const run of readVector<Run[]>("kcptun/kat/rto.json")) {
    const rtt = new Rtt(run.nodelay, run.interval);
    for (const step of run.steps) {
      rtt.sample(step.rtt);
      assert.deepEqual({ rtt: step.rtt, srtt: rtt.srtt, rttvar: rtt.rttvar, rto: rtt.rto }, step);
      steps++;
    }
  }
  assert.equal(steps, 76);
});

test("rto stays between its minimum and a minute whatever is sampled", () => {
  const normal = new Rtt(0, 10);
  normal.sample(1);
  assert.equal(normal.rto, 100);
  const nodelay = new Rtt(1, 10);
  nodelay.sample(1);
  assert.equal(nodelay.rto, 30);
  nodelay.sample(2 ** 31 - 1);
  assert.equal(nodelay.rto, 60_000);
  assert.equal(nodelay.latest, 2 ** 31 - 1);
});

test("samples are counted by the bound they do not exceed", () => {
  const rtt = new Rtt(0, 10);
  for (const sample of [0, 1, 2, 3, 4, 5, 16_384, 16_385, 2 ** 31 - 1]) rtt.sample(sample);
  const counted = Object.fromEntries(
    [...RTT_BOUNDS_MS, "more"].map((bound, i) => [bound, rtt.counts[i]!]).filter(([, count]) => count !== 0),
  );
  assert.deepEqual(counted, { 1: 2, 2: 1, 4: 2, 8: 1, 16384: 1, more: 2 });
  assert.deepEqual([rtt.least, rtt.sum], [0, 15 + 16_384 + 16_385 + 2 ** 31 - 1]);
});
