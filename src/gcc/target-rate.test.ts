import assert from "node:assert/strict";
import { test } from "node:test";
import { LOST, NOT_A_PROBE, TransportFeedback } from "./packet-result.ts";
import { TargetRate } from "./target-rate.ts";

const K = 1000;
const MS = 1000;

function at300(): TargetRate {
  const target = new TargetRate();
  target.configure(300 * K, 30 * K, 2000 * K);
  return target;
}

test("limits: configured least and most, delay, receiver; 0 lifts the last two", () => {
  const target = at300();
  target.jump(5000 * K);
  assert.equal(target.target, 2000 * K);
  target.setDelayLimit(700 * K);
  assert.equal(target.reported, 700 * K);
  target.setReceiverLimit(500 * K);
  assert.equal(target.reported, 500 * K);
  assert.equal(target.target, 700 * K, "the receiver's limit is no estimate");
  target.setReceiverLimit(0);
  target.setDelayLimit(0);
  assert.equal(target.reported, 700 * K);
  target.setReceiverLimit(1);
  assert.equal(target.reported, 30 * K);
  const least = new TargetRate();
  least.configure(1, 0, Number.POSITIVE_INFINITY);
  assert.equal(least.target, 5 * K);
});

test("in the first two seconds without loss the delay estimate is believed upwards", () => {
  const target = at300();
  target.setDelayLimit(900 * K);
  assert.equal(target.target, 300 * K);
  target.onPacketsLost(0, 0, 30);
  assert.equal(target.target, 900 * K);
  target.setDelayLimit(1500 * K);
  target.update(1999 * MS);
  assert.equal(target.target, 1500 * K);
  target.setDelayLimit(1900 * K);
  target.update(2000 * MS);
  assert.ok(target.target < 1900 * K, "from here on it is won step by step");
});

test("loss ends that belief", () => {
  const target = at300();
  target.onPacketsLost(0, 5, 100);
  target.setDelayLimit(900 * K);
  target.update(100 * MS);
  assert.equal(target.target, 300 * K);
});

test("a jump forgets the delay limit and the history of the rate", () => {
  const target = at300();
  target.onPacketsLost(0, 3, 100);
  target.setDelayLimit(200 * K);
  target.update(25 * MS);
  assert.equal(target.target, 200 * K);
  target.jump(1000 * K);
  target.onPacketsLost(50 * MS, 1, 100);
  assert.ok(target.target >= 1080 * K, `8 % on 1000, not on 200: ${target.target}`);
});

test("transport feedback: loss v2 takes over once it has seen enough", () => {
  const target = at300();
  const feedback = new TransportFeedback(32);
  target.setDelayLimit(1000 * K);
  let sequence = 0;
  for (let report = 0; report < 60; report++) {
    feedback.clear(report * 100 * MS + 150 * MS);
    for (let i = 0; i < 10; i++) {
      const sendTime = (report * 10 + i) * 10 * MS;
      const sent = { sequence: sequence++, sendTime, size: 1200, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
      feedback.push(sent, report >= 20 && i % 2 === 0 ? LOST : sendTime + 50 * MS);
    }
    feedback.sort();
    target.onFeedback(feedback, report >= 20 ? 300 * K : 900 * K, false);
    if (report === 19) assert.equal(target.target, 1000 * K);
  }
  assert.equal(target.lossLimited, true);
  assert.ok(target.target <= 310 * K, `half is lost, 300 kbit/s get through: ${target.target}`);
  assert.ok(Math.abs(target.lossRatio - 0.5) < 0.05);
});

test("losses that the delay limit answers already do not lower the target a second time", () => {
  const targets = [false, true].map((answered) => {
    const target = new TargetRate();
    target.configure(1000 * K, 30 * K, 5000 * K);
    target.setDelayLimit(1000 * K);
    target.lossAnswered = answered;
    const feedback = new TransportFeedback(64);
    for (let i = 0, sequence = 0; i < 30; i++) {
      feedback.clear((i + 1) * 250 * MS);
      for (let k = 0; k < 20; k++) {
        const sendTime = i * 250 * MS + k * 12 * MS;
        const sent = { sequence: sequence++, sendTime, size: 1200, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
        feedback.push(sent, k % 2 === 0 ? LOST : sendTime + 50 * MS);
      }
      feedback.sort();
      target.onFeedback(feedback, 400 * K, false);
    }
    assert.equal(target.lossLimited, !answered);
    return target.target;
  });
  assert.ok(targets[0]! < 700 * K, `${targets}`);
  assert.equal(targets[1], 1000 * K);
});
