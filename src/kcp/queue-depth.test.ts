import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueDepth } from "./queue-depth.ts";

test("what several arrivals show counts, not one that a stalled machine brings late", () => {
  const depth = new QueueDepth();
  depth.take(10, 50_000);
  depth.take(10, 48_000);
  depth.take(11, 15_000);
  depth.take(12, 16_000);
  assert.equal(depth.most, 15_000);
  assert.equal(depth.fullSince(12), true);
});

test("a queue that holds much less than it did is not full", () => {
  const depth = new QueueDepth();
  for (let now = 0; now < 10; now++) depth.take(now, 40_000);
  for (let now = 100; now < 110; now++) depth.take(now, 20_000);
  assert.equal(depth.most, 40_000);
  assert.equal(depth.fullSince(100), false);
});
