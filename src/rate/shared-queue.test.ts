import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedQueue } from "./shared-queue.ts";

function rounds(queue: SharedQueue, from: number, rtts: readonly number[], minRtt: number): void {
  for (const [i, rtt] of rtts.entries()) queue.round(from + i * 200, rtt, minRtt);
}

test("a queue that stands for six rounds is crowded, and no longer when it has been short for as many", () => {
  const queue = new SharedQueue();
  rounds(queue, 0, [300, 300, 300, 300, 300], 200);
  assert.ok(!queue.crowded);
  rounds(queue, 1000, [300], 200);
  assert.ok(queue.crowded);
  rounds(queue, 1200, [210], 200);
  assert.ok(!queue.crowded);
});

test("the least round trip is borne out when it comes again after a queue, and has to be anew when it changes", () => {
  const queue = new SharedQueue();
  rounds(queue, 0, [330, 400, 410, 390], 330);
  assert.ok(!queue.emptied);
  rounds(queue, 1000, [240, 240, 260, 205, 202, 240], 200);
  assert.ok(queue.emptied);
  rounds(queue, 3000, [260, 300], 260);
  assert.ok(!queue.emptied);
});

test("a queue that was twice as long without a loss is not full, half a minute later nobody knows", () => {
  const queue = new SharedQueue();
  rounds(queue, 0, [160, 130, 100, 100], 100);
  assert.ok(!queue.mayBeFull(125, 100));
  assert.ok(queue.mayBeFull(131, 100));
  for (let now = 1000; now < 40_000; now += 200) queue.round(now, 110, 100);
  assert.ok(queue.mayBeFull(106, 100));
});
