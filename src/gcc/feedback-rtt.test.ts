import assert from "node:assert/strict";
import { test } from "node:test";
import { FeedbackRtt } from "./feedback-rtt.ts";
import { LOST, NOT_A_PROBE, TransportFeedback } from "./packet-result.ts";

const MS = 1000;

/** Packets as [send, receive] in ms, reported at `at`. */
function report(at: number, ...packets: readonly (readonly [number, number])[]): TransportFeedback {
  const feedback = new TransportFeedback(16);
  feedback.clear(at * MS);
  for (const [i, [send, receive]] of packets.entries()) {
    const sent = { sequence: i, sendTime: send * MS, size: 1200, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
    feedback.push(sent, receive === Number.POSITIVE_INFINITY ? LOST : receive * MS);
  }
  feedback.sort();
  return feedback;
}

test("the receiver's wait is no part of the propagation", () => {
  const rtt = new FeedbackRtt();
  assert.ok(Number.isNaN(rtt.least) && Number.isNaN(rtt.mean));
  // The receiver's clock is 5 s ahead; the first packet waited 60 ms for the third, which took 10 ms longer.
  assert.equal(rtt.add(report(200, [100, 5150], [120, 5170], [150, 5210])), true);
  assert.equal(rtt.propagation, 40 * MS);
  assert.equal(rtt.least, 100 * MS);
});

test("lost packets tell no round trip, and a report of nothing but losses tells nothing", () => {
  const rtt = new FeedbackRtt();
  assert.equal(rtt.add(report(300, [100, Number.POSITIVE_INFINITY])), false);
  rtt.add(report(300, [10, Number.POSITIVE_INFINITY], [200, 220]));
  assert.equal(rtt.least, 100 * MS);
});

test("least and mean are over the last 32 reports", () => {
  const rtt = new FeedbackRtt();
  rtt.add(report(10, [0, 5]));
  for (let i = 0; i < 31; i++) rtt.add(report(100, [0, 50]));
  assert.equal(rtt.least, 10 * MS);
  rtt.add(report(100, [0, 50]));
  assert.equal(rtt.least, 100 * MS);
  assert.equal(rtt.mean, 100 * MS);
});
