import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { ParityPlan } from "./parity-plan.ts";

function planFor(loss: number, run: number): ParityPlan {
  const plan = new ParityPlan();
  plan.observe(10_000, 10_000 * loss, (10_000 * loss) / run);
  return plan;
}

test("no loss, no parity; more loss, more parity; never beyond the budget", () => {
  assert.equal(planFor(0, 1).parity(17, false), 0);
  const counts = [0.002, 0.01, 0.02, 0.05, 0.2].map((loss) => planFor(loss, 1).parity(64, false));
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  assert.ok(counts[0]! > 0 && counts.at(-1)! <= 64 * 0.25);
  assert.equal(planFor(0.02, 1).parity(3, false), 0);
  assert.equal(planFor(0.02, 1).parity(3, true), 1);
});

test("where the budget allows, fewer than one group in a hundred stays unrepaired", () => {
  const prng = new Prng(3);
  for (const loss of [0.01, 0.02]) {
    const parity = planFor(loss, 1).parity(64, false);
    let failed = 0;
    for (let group = 0; group < 5000; group++) {
      let lost = 0;
      for (let i = 0; i < 64 + parity; i++) if (prng.chance(loss)) lost++;
      if (lost > parity) failed++;
    }
    assert.ok(failed < 50, `${failed} of 5000 groups with ${parity} parity shards at ${loss}`);
  }
});

test("what was taken for lost and arrived after all asks for no parity", () => {
  const plan = new ParityPlan();
  plan.observe(1000, 50, 10);
  plan.observe(0, -50, 0);
  assert.equal(plan.parity(64, false), 0);
  plan.observe(0, -50, 0);
  plan.observe(1000, 20, 20);
  assert.ok(plan.parity(64, false) > 0);
});

test("what was long ago is forgotten", () => {
  const plan = planFor(0.1, 1);
  for (let i = 0; i < 10; i++) plan.observe(1500, 0, 0);
  assert.equal(plan.parity(64, false), 0);
});

test("a path of which nothing is known is taken to lose something, not for long", () => {
  const plan = new ParityPlan();
  plan.observe(0, 0, 0);
  assert.ok(plan.parity(64, false) > 0 && plan.parity(3, true) > 0);
  plan.observe(300, 0, 0);
  assert.equal(plan.parity(64, false), 0);
  assert.equal(plan.parity(3, true), 0);
});

test("little traffic has up to a copy of everything where much is lost one by one", () => {
  const counts = [0.01, 0.05, 0.1, 0.2].map((loss) => planFor(loss, 1).parity(4, true));
  assert.deepEqual(counts, [1, 2, 3, 4]);
  assert.equal(planFor(0.1, 5).parity(4, true), 0);
  assert.ok(planFor(0.2, 1).parity(64, false) <= 16);
});

test("it says what stays unrepaired; a group spread over longer than runs has parity where they are long", () => {
  const few = planFor(0.02, 1);
  assert.equal(few.parity(4, true), 1);
  const { left } = few;
  assert.equal(few.parity(10, true), 3);
  assert.ok(few.left < left / 4, `${left} → ${few.left}`);
  const runs = planFor(0.05, 5);
  assert.equal(runs.parity(10, true), 0);
  assert.equal(runs.parity(10, true, true), 3);
  assert.ok(runs.leftOfLossy > 0.4 && runs.leftOfLossy < 0.6, `${runs.leftOfLossy}`);
});
