import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitDoubt } from "./limit-doubt.ts";
import { QueueDepth } from "./queue-depth.ts";

const RTT = 100;

/** A queue that holds so much at `at`. */
function fill(depth: QueueDepth, at: number, bytes: number): void {
  depth.take(at - 1, bytes);
  depth.take(at, bytes);
}

test("in vain four times in a row it is left for a minute, and a burst that came through begins anew", () => {
  const doubt = new LimitDoubt(new QueueDepth());
  for (let n = 0; n < 3; n++) assert.equal(doubt.overflowed(false, true), false);
  doubt.clear();
  for (let n = 0; n < 3; n++) assert.equal(doubt.overflowed(false, true), false);
  assert.equal(doubt.overflowed(false, true), true);
  doubt.leave(1000);
  assert.deepEqual([doubt.left(60_999), doubt.permits(60_999, RTT)], [true, false]);
  assert.deepEqual([doubt.left(61_000), doubt.permits(61_000, RTT)], [false, true]);
});

test("a queue that runs over as soon as it is left is not left again so soon", () => {
  const depth = new QueueDepth();
  const doubt = new LimitDoubt(depth);
  doubt.leave(0);
  fill(depth, 500, 30_000);
  assert.equal(doubt.permits(600, RTT), true);
  for (let n = 0; n < 15; n++) assert.equal(doubt.overflowed(false, true), false);
  assert.equal(doubt.overflowed(false, true), true);
});

test("a long queue may run over when a peer begins", () => {
  const depth = new QueueDepth();
  const doubt = new LimitDoubt(depth);
  fill(depth, 100, 400_000);
  assert.equal(doubt.permits(110, RTT), false);
  assert.equal(doubt.permits(150, RTT), false);
  assert.equal(doubt.permits(1000, RTT), true);
});
