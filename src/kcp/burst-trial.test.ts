import assert from "node:assert/strict";
import { test } from "node:test";
import { BurstTrial, type Verdict } from "./burst-trial.ts";

const LENGTH = 1000;

/** A burst of `n` segments sent at `ts`, without those of `lost`; answers what each one said. */
function burst(trial: BurstTrial, n: number, ts: number, lost: readonly number[] = []): Verdict[] {
  const said: Verdict[] = [];
  let ahead = 0;
  for (let i = 0; i < n; i++) {
    if (lost.includes(i)) ahead++;
    else {
      said.push(trial.take(ts, ahead, LENGTH, true));
      ahead = 0;
    }
  }
  return said;
}

test("a burst that came whole: the queue is long", () => {
  assert.ok(burst(new BurstTrial(), 32, 0).includes("long"));
});

test("what is lost before the end of a burst is no queue's doing", () => {
  assert.ok(burst(new BurstTrial(), 32, 0, [3, 4, 5, 6, 7, 8]).includes("long"));
});

test("most of the end lost once says nothing, twice that the queue is short", () => {
  const trial = new BurstTrial();
  assert.deepEqual(
    burst(trial, 32, 0, [25, 26, 28, 30]).filter((verdict) => verdict !== "open"),
    [],
  );
  assert.ok(burst(trial, 32, 500, [24, 27, 28, 30]).includes("short"));
});

test("nothing of the end came, twice, and the queue was full: it is short", () => {
  const trial = new BurstTrial();
  burst(trial, 20, 0);
  assert.equal(trial.take(250, 12, LENGTH, true), "open");
  burst(trial, 20, 500);
  assert.equal(trial.take(750, 12, LENGTH, true), "short");
});

test("where no queue was full nothing is lost by it", () => {
  const trial = new BurstTrial();
  for (let i = 0; i < 4; i++) {
    burst(trial, 20, 500 * i);
    assert.equal(trial.take(500 * i + 250, 12, LENGTH, false), "open");
  }
});
