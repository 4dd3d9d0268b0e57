/** Expectations of libwebrtc's TransportFeedbackAdapter tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { FeedbackAdapter } from "./feedback-adapter.ts";
import { LOST, NOT_A_PROBE, type PacketResult } from "./packet-result.ts";

const NOW = 1_234_000;

function send(adapter: FeedbackAdapter, sequence: number, sendTime: number, size = 100): void {
  adapter.history.add({ sequence, sendTime, size, probeCluster: NOT_A_PROBE, audio: false, retransmission: false });
}

function tell(adapter: FeedbackAdapter, statuses: readonly (readonly [number, number])[], now = NOW): PacketResult[] {
  adapter.begin(now);
  for (const [sequence, arrival] of statuses) adapter.add(sequence, arrival);
  const { feedback } = adapter;
  return adapter.end() ? Array.from({ length: feedback.length }, (_, i) => feedback.at(i)) : [];
}

test("statuses find the packets they speak of, the lost ones too", () => {
  const adapter = new FeedbackAdapter();
  for (let i = 0; i < 6; i++) send(adapter, 99 + i, 200_000 + 10_000 * i);
  const statuses = [0, 1, 2, 3, 4, 5].map((i) => [99 + i, i === 1 || i === 4 ? LOST : 100_000 + 13_000 * i] as const);
  const results = tell(adapter, statuses);
  assert.deepEqual(
    results.map(({ sent, receiveTime }) => [sent.sequence, sent.sendTime, sent.size, receiveTime]),
    statuses.map(([sequence, arrival], i) => [sequence, 200_000 + 10_000 * i, 100, arrival]),
  );
  assert.equal(adapter.feedback.received, 4);
  assert.deepEqual([...adapter.feedback.order.subarray(0, 4)], [0, 2, 3, 5]);
});

test("packets that were not sent, or told of already, are ignored", () => {
  const adapter = new FeedbackAdapter();
  for (let s = 1; s < 4; s++) send(adapter, s, s * 1000);
  const all = [0, 1, 2, 3, 4].map((s) => [s, 5000 + s] as const);
  assert.deepEqual(
    tell(adapter, all).map(({ sent }) => sent.sequence),
    [1, 2, 3],
  );
  assert.equal(adapter.stats.unknown, 2);
  assert.deepEqual(tell(adapter, all), []);
  assert.equal(adapter.stats.empty, 1);
  assert.equal(adapter.history.inFlight, 0);
});

test("a packet that was lost and arrives after all is told of again, as recovered", () => {
  const adapter = new FeedbackAdapter();
  for (let s = 0; s < 3; s++) send(adapter, s, s);
  assert.equal(
    tell(adapter, [
      [0, 100],
      [1, LOST],
      [2, 120],
    ]).length,
    3,
  );
  assert.equal(adapter.feedback.recovered[1], 0);
  const [late] = tell(adapter, [
    [1, 130],
    [2, 120],
  ]);
  assert.equal(late?.sent.sequence, 1);
  assert.equal(adapter.feedback.length, 1);
  assert.equal(adapter.feedback.recovered[0], 1);
});

test("in flight: before and after", () => {
  const adapter = new FeedbackAdapter();
  for (let s = 0; s < 5; s++) send(adapter, s, s, 1000);
  tell(adapter, [
    [1, 100],
    [2, LOST],
  ]);
  assert.equal(adapter.feedback.priorInFlight, 5000);
  assert.equal(adapter.feedback.dataInFlight, 2000);
  assert.equal(adapter.feedback.feedbackTime, NOW);
});

test("16 bits of the sequence number are enough, over many wraps", () => {
  const adapter = new FeedbackAdapter();
  for (let s = 65_000; s < 65_000 + 200_000; s += 5) {
    send(adapter, s, s);
    const [result] = tell(adapter, [[s & 0xffff, s + 7]]);
    assert.equal(result?.sent.sequence, s);
  }
  assert.equal(adapter.stats.unknown, 0);
});

test("results ascend by sequence number, and order by receive time", () => {
  const adapter = new FeedbackAdapter();
  for (let s = 0; s < 6; s++) send(adapter, s, s);
  tell(adapter, [
    [0, 50],
    [1, 40],
    [2, LOST],
    [3, 45],
    [4, 45],
    [5, 10],
  ]);
  assert.deepEqual([...adapter.feedback.order.subarray(0, adapter.feedback.received)], [5, 1, 3, 4, 0]);
});

test("a feedback of 65,535 statuses neither fails nor grows memory beyond the history", () => {
  const adapter = new FeedbackAdapter({ packetsMax: 1024 });
  for (let s = 0; s < 2000; s++) send(adapter, s, s);
  adapter.begin(NOW);
  for (let s = 0; s < 65_535; s++) adapter.add(s, s % 3 === 0 ? LOST : s);
  assert.equal(adapter.end(), true);
  assert.equal(adapter.feedback.length, 1024);
  assert.ok(adapter.feedback.sequence.length <= 1024);
});

test("random feedback never tells of a packet twice as received, nor invents one", () => {
  const seed = 77;
  const random = new Prng(seed);
  const adapter = new FeedbackAdapter({ packetsMax: 512 });
  const received = new Set<number>();
  let next = 30_000;
  for (let round = 0; round < 3000; round++) {
    for (let i = random.below(20); i > 0; i--) {
      next += 1 + random.below(2);
      send(adapter, next, round * 1000);
    }
    adapter.begin(round * 1000);
    let s = random.chance(0.9) ? next - random.below(60) : random.below(65_536);
    for (let i = random.below(60); i > 0; i--) adapter.add(s++, random.chance(0.7) ? random.below(1e9) : LOST);
    if (!adapter.end()) continue;
    const { feedback } = adapter;
    for (let i = 0; i < feedback.length; i++) {
      const sequence = feedback.sequence[i] ?? -1;
      assert.ok(i === 0 || sequence > (feedback.sequence[i - 1] ?? 0), `seed ${seed}, round ${round}`);
      assert.ok(sequence <= next);
      if (feedback.receiveTime[i] === LOST) continue;
      assert.equal(received.has(sequence), false, `seed ${seed}, round ${round}: ${sequence} again`);
      received.add(sequence);
    }
    assert.ok(adapter.history.inFlight >= 0);
  }
  assert.ok(received.size > 1000);
});
