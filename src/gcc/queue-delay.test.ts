import assert from "node:assert/strict";
import { test } from "node:test";
import { NOT_A_PROBE, TransportFeedback } from "./packet-result.ts";
import { QueueDelay } from "./queue-delay.ts";
import { QueueGuard } from "./queue-guard.ts";

const MS = 1000;
const SECOND = 1_000_000;
/** The receiver's clock runs this much behind. */
const OFFSET = -7_000_000_000;

/** A feedback every 100 ms of three packets, of which the least waited `wait(now)`. */
function run(queue: QueueDelay, from: number, to: number, wait: (now: number) => number): void {
  const feedback = new TransportFeedback(8);
  for (let now = from; now < to; now += 100 * MS) {
    feedback.clear(now);
    for (const [sequence, more] of [3, 0, 11].entries()) {
      const sent = { sequence, sendTime: now - 200 * MS, size: 1000, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
      feedback.push(sent, now - 150 * MS + OFFSET + wait(now) + more * MS);
    }
    feedback.sort();
    queue.receive(feedback);
  }
}

test("the wait is that of the quickest packet above the least seen, whatever the clocks say", () => {
  const queue = new QueueDelay();
  run(queue, 0, SECOND, () => 0);
  assert.equal(queue.delay, 0);
  run(queue, SECOND, 2 * SECOND, () => 80 * MS);
  assert.equal(queue.delay, 80 * MS);
});

test("empty since it became empty; jitter of an empty path does not count as a queue, a real queue does", () => {
  const queue = new QueueDelay();
  run(queue, 0, 5 * SECOND, (now) => ((now / MS / 100) % 3) * 4 * MS);
  assert.ok(queue.emptyFor(5 * SECOND) > 4 * SECOND, `${queue.emptyFor(5 * SECOND)}`);
  run(queue, 5 * SECOND, 6 * SECOND, () => 40 * MS);
  assert.equal(queue.emptyFor(6 * SECOND), 0);
  run(queue, 6 * SECOND, 7 * SECOND, () => 0);
  assert.equal(queue.emptyFor(7 * SECOND), SECOND);
});

test("a longer path is the new base after a minute, and after a longer silence at once", () => {
  const queue = new QueueDelay();
  run(queue, 0, 10 * SECOND, () => 0);
  run(queue, 10 * SECOND, 60 * SECOND, () => 100 * MS);
  assert.equal(queue.delay, 100 * MS);
  run(queue, 60 * SECOND, 81 * SECOND, () => 100 * MS);
  assert.equal(queue.delay, 0);
  run(queue, 500 * SECOND, 501 * SECOND, () => 300 * MS);
  assert.equal(queue.delay, 0);
  run(queue, 501 * SECOND, 502 * SECOND, () => 400 * MS);
  assert.equal(queue.delay, 100 * MS);
  queue.reset();
  run(queue, 502 * SECOND, 503 * SECOND, () => 400 * MS);
  assert.equal(queue.delay, 0);
});

test("the guard asks twice for a long queue, then waits until it was short", () => {
  const guard = new QueueGuard();
  const asked = (from: number, to: number, delay: number): number => {
    let count = 0;
    for (let now = from; now < to; now += 50 * MS) if (guard.asks(now, delay, 100 * MS)) count++;
    return count;
  };
  assert.equal(asked(0, SECOND, 90 * MS), 0);
  assert.equal(asked(SECOND, 1.4 * SECOND, 200 * MS), 1);
  assert.equal(asked(1.4 * SECOND, 9 * SECOND, 200 * MS), 1);
  assert.equal(asked(9 * SECOND, 10 * SECOND, 50 * MS), 0);
  assert.equal(asked(10 * SECOND, 12 * SECOND, 200 * MS), 2);
});
