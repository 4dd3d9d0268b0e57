/** Expectations of libwebrtc's RemoteBitrateEstimatorAbsSendTime tests: reference/gcc.md L, P23 and P24. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RembEstimator } from "./remb-estimator.ts";
import { framesToGrow } from "./testing/growth.ts";
import { RembSession } from "./testing/remb-session.ts";

test("P23: from 30 to 500 kbit/s in 1237 frames", () => {
  assert.equal(framesToGrow(new RembSession(new RembEstimator()), 1237), 1237);
});

test("P24: one packet of 1200 bytes 50 times a second for 5 s: 674.8 kbit/s; without the stream there is no estimate", () => {
  const session = new RembSession(new RembEstimator());
  session.fiftyFrames((early) => assert.equal(early, 0));
  assert.ok(Math.abs(session.estimator.rate - 674_840) <= 50_000, `${session.estimator.rate}`);
  assert.equal(session.estimator.ssrc(0), 1);
  session.estimator.removeStream(1);
  assert.equal(session.estimator.rate, 0);
});

test("packets in pairs in the wrong order change nothing", () => {
  const session = new RembSession(new RembEstimator());
  let sendTime = session.fiftyFrames();
  for (let i = 0; i < 10; i++) {
    session.now += 40_000;
    sendTime += 40_000;
    session.packet(sendTime, 1000);
    session.packet(sendTime - 20_000, 1000);
  }
  assert.ok(Math.abs(session.estimator.rate - 674_840) <= 50_000, `${session.estimator.rate}`);
});

test("half the capacity: the rate follows in time, for 1, 2, 3 and 13 streams", () => {
  for (const [streams, expected] of [
    [1, 633],
    [2, 700],
    [3, 633],
    [13, 667],
  ] as const) {
    const { steady, took } = new RembSession(new RembEstimator()).capacityDrop(streams);
    assert.ok(Math.abs(steady - 1_000_000) <= 180_000, `${streams} streams: steady at ${steady}`);
    assert.ok(Math.abs(took - expected) <= 33, `${streams} streams: ${took} ms, expected ${expected}`);
  }
});

test("bursts are one group, and a growing delay lowers the rate, while the send time wraps", () => {
  const session = new RembSession(new RembEstimator());
  // Half a second before 64 s, where the 24 bits of the send time wrap.
  let sendTime = 63_000_000;
  for (let i = 0; i <= 300; i++) {
    session.packet(sendTime, 1000);
    session.now += 20_000;
    sendTime += 20_000;
  }
  assert.ok(session.latest >= 400_000, `${session.latest}`);
  for (let i = 0; i < 100; i++) {
    for (let k = 0; k < 15; k++) {
      session.packet(sendTime, 100);
      session.now += 1000;
      sendTime += 11;
    }
    session.now += 10_000;
    sendTime += 20_000 - 165;
  }
  assert.ok(session.latest < 400_000, `${session.latest}`);
});

test("after 35 s and after 640 s of silence the filter begins anew, wherever the send time has wrapped to", () => {
  for (const silence of [35_000_000, 640_000_000]) {
    const session = new RembSession(new RembEstimator());
    let sendTime = 0;
    for (let i = 0; i < 3000; i++) {
      session.packet(sendTime, 1000);
      session.now += 10_000;
      sendTime += 10_000;
    }
    const before = session.estimator.rate;
    session.now += silence;
    sendTime += silence;
    for (let i = 0; i < 21; i++) {
      session.packet(sendTime, 1000);
      session.now += 20_000;
      sendTime += 10_000;
    }
    assert.ok(session.estimator.rate < before, `${before} → ${session.estimator.rate}`);
  }
});

/** Trains of 5 packets: gap of sending and of arrival in ms. */
function trains(session: RembSession, gaps: readonly (readonly [number, number])[], size = 1000): void {
  let sendTime = 0;
  for (const [send, arrival] of gaps) {
    for (let i = 0; i < 5; i++) {
      session.now += arrival * 1000;
      sendTime += send * 1000;
      session.packet(sendTime, size);
    }
  }
}

test("trains at the start of a call set the rate", () => {
  const rateAfter = (...gaps: (readonly [number, number])[]): number => {
    const session = new RembSession(new RembEstimator());
    trains(session, gaps);
    return session.latest;
  };
  assert.ok(rateAfter([10, 10], [5, 5]) > 1_500_000);
  assert.ok(Math.abs(rateAfter([10, 10], [5, 8]) - 800_000) <= 10_000, "a train that was dispersed does not count");
  assert.ok(rateAfter([10, 5]) > 800_000, "slightly faster arrival is a queue that drained");
  assert.equal(rateAfter([10, 1]), 0, "much faster arrival is none of the path's doing");
  assert.ok(Math.abs(rateAfter([5, 7]) - 1_140_000) <= 10_000);
  assert.ok(Math.abs(rateAfter([1, 2]) - 4_000_000) <= 10_000);
});

test("small packets in between do not disturb a train, and make none", () => {
  const mixed = new RembSession(new RembEstimator());
  for (let i = 0; i < 5; i++) {
    mixed.now += 5000;
    const sendTime = mixed.now;
    mixed.packet(sendTime, 1000);
    mixed.now += 5000;
    mixed.packet(sendTime, 100);
  }
  assert.ok(mixed.latest > 800_000, `${mixed.latest}`);

  const small = new RembSession(new RembEstimator());
  trains(small, [[10, 10]], 200);
  assert.equal(small.latest, 0);
});

test("streams are listed up to a limit, and forgotten after 2 s", () => {
  const estimator = new RembEstimator({ streamsMax: 2 });
  for (let ssrc = 1; ssrc <= 3; ssrc++) estimator.receive(1_000_000, 0, 100, ssrc);
  assert.equal(estimator.streams, 2);
  assert.equal(estimator.stats.streamsRefused, 1);
  estimator.receive(2_500_000, 1000, 100, 2);
  estimator.receive(3_500_000, 2000, 100, 2);
  assert.equal(estimator.streams, 1);
  assert.equal(estimator.ssrc(0), 2);
});

test("REMB: at once when the estimate falls below 97 %, otherwise every 200 ms, never above what the application wants", () => {
  const { throttle } = new RembEstimator();
  assert.equal(throttle.offer(1_000_000, 0), 1_000_000);
  assert.equal(throttle.offer(1_500_000, 199_999), 0);
  assert.equal(throttle.offer(975_000, 199_999), 0);
  assert.equal(throttle.offer(960_000, 199_999), 960_000);
  assert.equal(throttle.offer(961_000, 399_999), 961_000);
  assert.equal(throttle.limit(2_000_000, 400_000), 0, "what was sent is below it");
  assert.equal(throttle.limit(500_000, 400_000), 500_000);
  assert.equal(throttle.offer(961_000, 700_000), 500_000);
});
