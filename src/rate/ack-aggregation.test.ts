import assert from "node:assert/strict";
import { test } from "node:test";
import { AckAggregation } from "./ack-aggregation.ts";

/** Acknowledgements of `rate` bytes a millisecond that come together every `every` ms, for a second; a round is 100 ms. */
function acknowledged(rate: number, every: number, from = 0): AckAggregation {
  const aggregation = new AckAggregation();
  for (let now = from; now < from + 1000; now += every) aggregation.add(now, rate * every, rate, Math.floor((now - from) / 100));
  return aggregation;
}

test("acknowledgements that come evenly, or in KCP's own batches, leave no room", () => {
  for (const every of [1, 10, 20]) assert.equal(acknowledged(2500, every).extra, 0, `every ${every} ms`);
});

test("what comes in bursts leaves room for what is held back meanwhile, and no more than a tenth of a second of it", () => {
  assert.equal(acknowledged(2500, 60).extra, 2500 * 40);
  assert.equal(acknowledged(2500, 500).extra, 2500 * 100);
  assert.equal(acknowledged(2500, 60, 1e9).extra, 2500 * 40, "whenever it began");
});

test("a kcptun's batches are longer", () => {
  const aggregation = new AckAggregation();
  aggregation.foreign = true;
  for (let now = 0; now < 1000; now += 40) aggregation.add(now, 100_000, 2500, Math.floor(now / 100));
  assert.equal(aggregation.extra, 0);
});

test("it is forgotten after ten even rounds, and on another path", () => {
  const aggregation = acknowledged(2500, 60);
  for (let now = 1000; now < 3000; now++) aggregation.add(now, 2400, 2500, Math.floor(now / 100));
  assert.equal(aggregation.extra, 0);
  const moved = acknowledged(2500, 60);
  moved.forget();
  assert.equal(moved.extra, 0);
});
