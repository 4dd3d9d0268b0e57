import assert from "node:assert/strict";
import { test } from "node:test";
import { LOST, NOT_A_PROBE, type SentPacket, TransportFeedback } from "./packet-result.ts";

const packet = (sequence: number): SentPacket => ({
  sequence,
  sendTime: sequence * 10,
  size: 100 + sequence,
  probeCluster: sequence % 3 === 0 ? 5 : NOT_A_PROBE,
  audio: sequence % 2 === 0,
  retransmission: sequence % 5 === 0,
});

test("packets come out as they were put in, also after the arrays have grown", () => {
  const feedback = new TransportFeedback(1000);
  feedback.clear(42);
  for (let s = 0; s < 300; s++) assert.equal(feedback.push(packet(s), s % 7 === 0 ? LOST : s * 11, s, s % 2 === 1), true);
  assert.equal(feedback.length, 300);
  assert.ok(feedback.sequence.length < 1000);
  for (const s of [0, 1, 35, 299]) {
    assert.deepEqual(feedback.at(s), { sent: packet(s), receiveTime: s % 7 === 0 ? LOST : s * 11 });
    assert.equal(feedback.priorUnacked[s], s);
    assert.equal(feedback.recovered[s], s % 2);
  }
});

test("a full feedback refuses, and is used again", () => {
  const feedback = new TransportFeedback(2);
  feedback.clear(0);
  assert.deepEqual(
    [0, 1, 2].map((s) => feedback.push(packet(s), s)),
    [true, true, false],
  );
  feedback.clear(1);
  assert.equal(feedback.length, 0);
  assert.equal(feedback.push(packet(9), 9), true);
});

test("order is by receive time, equal ones as they were sent, lost ones left out", () => {
  const feedback = new TransportFeedback(100);
  feedback.clear(0);
  [30, LOST, 10, 30, 20, LOST, 10].forEach((time, s) => {
    feedback.push(packet(s), time);
  });
  feedback.sort();
  assert.deepEqual([...feedback.order.subarray(0, feedback.received)], [2, 6, 4, 0, 3]);
});
