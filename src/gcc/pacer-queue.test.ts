import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { AUDIO, PADDING, PacerQueue, RETRANSMISSION, VIDEO } from "./pacer-queue.ts";

interface Waiting {
  packet: number;
  stream: number;
  level: number;
  size: number;
  time: number;
}

/** Random operations against lists that are searched through: order inside a stream and level, levels, counts, sizes, times, what is dropped. */
function compare(seed: number): void {
  const prng = new Prng(seed);
  const queue = new PacerQueue(64, 5);
  let waiting: Waiting[] = [];
  const dropped = new Set<number>();
  for (let step = 0; step < 3000; step++) {
    const what = prng.float();
    if (what < 0.5) {
      const entry = { packet: step, stream: prng.below(5), level: prng.below(4), size: 1 + prng.below(3000), time: step * 10 };
      const taken = queue.push(entry.packet, entry.stream, entry.level, entry.size, entry.time);
      assert.equal(taken, waiting.length + dropped.size < 64, `seed ${seed} step ${step}`);
      if (taken) waiting.push(entry);
    } else if (what < 0.95) {
      assert.equal(queue.pop(), waiting.length > 0, `seed ${seed} step ${step}`);
      if (waiting.length === 0) continue;
      const level = Math.min(...waiting.map((entry) => entry.level));
      assert.equal(queue.level, level);
      const first = waiting.find((entry) => entry.level === level && entry.stream === queue.stream)!;
      assert.deepEqual([queue.packet, queue.size], [first.packet, first.size], `seed ${seed} step ${step}`);
      waiting = waiting.filter((entry) => entry !== first);
    } else if (what < 0.98) {
      const stream = prng.below(5);
      const gone = waiting.filter((entry) => entry.stream === stream && (entry.level === VIDEO || entry.level === RETRANSMISSION));
      assert.equal(queue.flush(stream), gone.length);
      for (const { packet } of gone) dropped.add(packet);
      waiting = waiting.filter((entry) => !gone.includes(entry));
    } else {
      for (let packet = queue.takeDropped(); packet >= 0; packet = queue.takeDropped()) assert.ok(dropped.delete(packet));
      assert.equal(dropped.size, 0);
    }
    assert.equal(queue.packets, waiting.length);
    assert.equal(
      queue.bytes,
      waiting.reduce((sum, { size }) => sum + size, 0),
    );
    const mean = waiting.reduce((sum, { time }) => sum + (step * 10 - time), 0) / Math.max(1, waiting.length);
    assert.ok(Math.abs(queue.averageTime(step * 10) - mean) < 1e-6);
  }
}

test("random operations against plain lists", () => {
  for (let seed = 1; seed <= 10; seed++) compare(seed);
});

test("a stream that was away takes no more than its share when it returns", () => {
  const queue = new PacerQueue(4000, 2);
  for (let i = 0; i < 2000; i++) queue.push(i, 0, VIDEO, 1000, 0);
  for (let i = 0; i < 500; i++) queue.pop();
  for (let i = 0; i < 1000; i++) queue.push(i, 1, VIDEO, 1000, 0);
  const counts = [0, 0];
  for (let i = 0; i < 200; i++) {
    queue.pop();
    counts[queue.stream]!++;
  }
  assert.ok(Math.abs(counts[0]! - counts[1]!) <= 2, `${counts}`);
});

test("packets larger than a quantum still leave", () => {
  const queue = new PacerQueue(4, 1);
  queue.push(1, 0, PADDING, 64_000, 0);
  queue.push(2, 0, AUDIO, 9000, 0);
  assert.deepEqual([queue.pop(), queue.packet, queue.pop(), queue.packet, queue.pop()], [true, 2, true, 1, false]);
});
