import assert from "node:assert/strict";
import { test } from "node:test";
import { LOST, type ProbeCluster, TransportFeedback } from "./packet-result.ts";
import { ProbeEstimator } from "./probe-estimator.ts";

const BYTES = 1000;

function cluster(id: number, targetRate = 1_000_000, targetProbeCount = 5): ProbeCluster {
  return { id, createdAt: 0, targetRate, targetDuration: 15_000, minProbeDelta: 2000, targetProbeCount };
}

/** Packets of 1000 bytes at these send and receive times in ms, the bytes needed as libwebrtc's tests have them: 5 packets, 5000 bytes. */
function measure(times: readonly (readonly [number, number, number?])[], estimator = new ProbeEstimator(), id = 1): number {
  estimator.expect({ ...cluster(id), targetRate: (BYTES * 5 * 8e6) / 15_000 });
  let result = Number.NaN;
  for (const [send, receive, bytes = BYTES] of times) {
    const found = estimator.add(id, bytes, send * 1000, receive * 1000);
    if (!Number.isNaN(found)) result = found;
  }
  return result / 1000;
}

function near(actual: number, expected: number, within: number): void {
  assert.ok(Math.abs(actual - expected) <= within, `${actual} is not ${expected} ± ${within}`);
}

// Source of the figures: libwebrtc 2026 probe_bitrate_estimator_unittest; two of them stand in gcc.md L as P26 and P27.
test("a probe that arrives as fast as it was sent", () => {
  near(measure([0, 10, 20, 30].map((t) => [t, t + 10])), 800, 10);
});

test("too few packets or bytes give no result", () => {
  assert.ok(Number.isNaN(measure([0, 10, 20].map((t) => [t, t + 10]))));
  const few = [0, 10, 20, 30, 40].map((t) => [t, t + 10, 700] as const);
  assert.ok(Number.isNaN(measure(few)), "3500 of 5000 bytes");
  near(measure(few.map(([s, r]) => [s, r, 900] as const)), 720, 10);
});

test("a receive rate a little above the send rate is the send rate", () => {
  // Sent every 10 ms, received every 8 ms: 800 sent, 1000 received.
  near(measure([0, 10, 20, 30, 40].map((t) => [t, 10 + (t * 8) / 10])), 800, 10);
});

test("P27: a probe that arrives ten times faster than it was sent is no measurement", () => {
  const estimator = new ProbeEstimator();
  assert.ok(
    Number.isNaN(
      measure(
        [0, 10, 20, 30].map((t) => [t, 50 + t / 10]),
        estimator,
      ),
    ),
  );
  assert.ok(estimator.counters.implausible > 0);
});

test("P26: a path slower than the probe gives 95 % of what arrived", () => {
  // 1600 sent, 1142 received.
  near(measure([0, 5, 10, 15, 20].map((t) => [t, 10 + (t * 7) / 5])), 1083, 10);
  // 8 Mbit/s sent, 4 received.
  near(measure([0, 1, 2, 3, 4].map((t) => [t, 10 + 2 * t])), 3800, 10);
});

test("bytes in one instant are no measurement, nor are gaps of more than a second", () => {
  assert.ok(Number.isNaN(measure([0, 10, 20, 30].map((t) => [t, 50]))));
  assert.ok(Number.isNaN(measure([0, 0, 0, 0].map((t, i) => [t, 10 + i]))));
  assert.ok(Number.isNaN(measure([0, 400, 800, 1200].map((t) => [t, t + 10]))));
});

test("clusters are kept apart, and old ones are forgotten", () => {
  const estimator = new ProbeEstimator();
  near(
    measure(
      [0, 10, 20, 30].map((t) => [t, t + 10]),
      estimator,
      1,
    ),
    800,
    10,
  );
  near(
    measure(
      [40, 45, 50, 55].map((t) => [t, t + 10]),
      estimator,
      2,
    ),
    1600,
    10,
  );
  // Cluster 1 is more than a second old by now.
  near(
    measure(
      [2000, 2010, 2020, 2030].map((t) => [t, t + 10]),
      estimator,
      3,
    ),
    800,
    10,
  );
  assert.ok(Number.isNaN(estimator.add(1, BYTES, 2040_000, 2050_000)));
  assert.equal(estimator.counters.strangers, 1);
});

test("of a feedback only received probe packets count", () => {
  const estimator = new ProbeEstimator();
  estimator.expect({ ...cluster(7), targetRate: (BYTES * 5 * 8e6) / 15_000 });
  const feedback = new TransportFeedback(16);
  feedback.clear(100_000);
  for (let i = 0; i < 6; i++) {
    const sent = { sequence: i, sendTime: i * 10_000, size: BYTES, probeCluster: i === 5 ? -1 : 7, audio: false, retransmission: false };
    feedback.push(sent, i === 1 ? LOST : 10_000 * i + 30_000);
  }
  feedback.sort();
  // 4 packets over 40 ms.
  near(estimator.onFeedback(feedback) / 1000, 600, 10);
});

test("more clusters than there is room for push out the oldest", () => {
  const estimator = new ProbeEstimator(2);
  estimator.expect(cluster(1));
  estimator.add(1, BYTES, 0, 0);
  estimator.expect(cluster(2));
  estimator.expect(cluster(3));
  assert.equal(estimator.counters.evicted, 1);
  estimator.add(1, BYTES, 0, 0);
  assert.equal(estimator.counters.strangers, 1);
});
