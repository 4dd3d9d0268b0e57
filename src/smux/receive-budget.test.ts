import assert from "node:assert/strict";
import { test } from "node:test";
import { ReceiveBudget, TICK_MS } from "./receive-budget.ts";
import { SmuxStats } from "./stats.ts";
import { INITIAL_WINDOW_BYTES, Stream } from "./stream.ts";

const MIB = 1_048_576;

function budgetOf(
  count: number,
  holdBytes = 4 * MIB,
  spillBytes = 0,
): { budget: ReceiveBudget; streams: Map<number, Stream>; look: (times: number) => Stream[] } {
  const budget = new ReceiveBudget(holdBytes, spillBytes, 2 * MIB, new SmuxStats());
  const streams = new Map(Array.from({ length: count }, (_, i) => [i + 1, new Stream(i + 1, true)]));
  for (const stream of streams.values()) budget.opened(stream, INITIAL_WINDOW_BYTES);
  let now = 0;
  const look = (times: number): Stream[] => {
    const shrunk: Stream[] = [];
    for (let i = 0; i < times; i++) {
      budget.due(now);
      now += TICK_MS;
      budget.look(now, streams, (stream) => shrunk.push(stream));
    }
    return shrunk;
  };
  return { budget, streams, look };
}

/** Tells the stream its window and has the peer fill it. */
function fill(budget: ReceiveBudget, stream: Stream): number {
  const window = budget.window(stream);
  budget.promise(stream, window);
  budget.received(stream, window);
  return window;
}

test("a stream alone has all of its window; with others, half of what is free, so that those who stop never take it all", () => {
  const alone = budgetOf(1);
  assert.equal(alone.budget.window(alone.streams.get(1)!), 2 * MIB);
  const { budget, streams } = budgetOf(8);
  const windows = [...streams.values()].slice(0, 7).map((stream) => fill(budget, stream));
  assert.deepEqual(windows.slice(0, 4), [2 * MIB, MIB, MIB / 2, MIB / 4]);
  assert.ok(!budget.exhausted);
  assert.ok(budget.window(streams.get(8)!) >= 16_384, "the last one still moves");
});

test("many that move are promised no more together than there is room for", () => {
  const { budget, streams } = budgetOf(40, 4 * MIB, 4 * MIB);
  for (let round = 0; round < 3; round++) {
    for (const stream of streams.values()) {
      budget.received(stream, 1000);
      budget.consumed(stream, 1000);
      budget.promise(stream, budget.window(stream));
    }
    budget.due(round * TICK_MS);
    budget.look(round * TICK_MS, streams, () => assert.fail("they all move"));
  }
  assert.ok(budget.promised <= 8 * MIB, `${budget.promised} promised`);
  assert.ok(budget.promised >= 4 * MIB, `${budget.promised} promised`);
  const told = [...streams.values()].map((stream) => stream.told);
  assert.ok(Math.max(...told) <= 2 * Math.min(...told), `windows of ${Math.min(...told)} to ${Math.max(...told)}`);
});

test("idle streams give their promises back while too much is promised", () => {
  const { budget, streams, look } = budgetOf(40);
  assert.equal(budget.promised, 10 * MIB);
  const shrunk = look(6);
  for (const stream of shrunk) budget.promise(stream, budget.window(stream));
  assert.ok(budget.promised <= 4 * MIB && shrunk.length >= 24, `${budget.promised} promised, ${shrunk.length} shrunk`);
  for (const stream of streams.values()) budget.closed(stream);
  assert.equal(budget.promised, 0);
});

test("what stalled streams hold counts against the spill, until they take something", () => {
  const { budget, streams, look } = budgetOf(2, 100_000, 50_000);
  const [stuck, other] = [streams.get(1)!, streams.get(2)!];
  budget.received(stuck, 120_000);
  assert.ok(budget.exhausted, "it may still take it");
  assert.equal(budget.worst(streams, 0), undefined);
  look(2);
  assert.ok(stuck.stalled && !other.stalled && !budget.exhausted);
  budget.received(stuck, 29_999);
  assert.ok(!budget.exhausted);
  budget.received(other, 1);
  assert.ok(budget.exhausted);
  look(1);
  assert.equal(budget.worst(streams, 10 * TICK_MS), undefined, "not yet");
  look(10);
  assert.equal(budget.worst(streams, 10 * TICK_MS), stuck);
  budget.consumed(stuck, 1000);
  assert.ok(!stuck.stalled && budget.exhausted);
  budget.consumed(stuck, 100_000);
  assert.ok(!budget.exhausted);
});
