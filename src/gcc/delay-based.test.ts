/** Expectations of libwebrtc's DelayBasedBwe tests, by their row in reference/gcc.md L. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DelaySession } from "./testing/delay-session.ts";
import { framesToGrow } from "./testing/growth.ts";

test("P22, P21: steady at 1 Mbit/s, then half the capacity: the rate follows in time, also when the receiver's clock jumps", () => {
  for (const [jump, expected] of [
    [0, 500],
    [30_000_000, 867],
    [-30_000_000, 933],
  ] as const) {
    const { steady, took } = new DelaySession().capacityDrop(jump);
    assert.ok(Math.abs(steady - 1_000_000) <= 180_000, `steady at ${steady}`);
    assert.ok(Math.abs(took - expected) <= 33, `clock ${jump}: ${took} ms, expected ${expected}`);
  }
});

test("P23: from 30 to 500 kbit/s in 617 frames", () => {
  assert.equal(framesToGrow(new DelaySession(), 617), 617);
});

test("P24: one packet of 1200 bytes 50 times a second for 5 s: 730 kbit/s", () => {
  const session = new DelaySession();
  session.fiftyFrames((valid) => assert.equal(valid, false));
  assert.equal(session.updated, true);
  assert.ok(Math.abs(session.latest - 730_000) <= 50_000, `${session.latest}`);
});

test("packets that come in pairs in the wrong order change nothing", () => {
  const session = new DelaySession();
  let sendTime = session.fiftyFrames();
  for (let i = 0; i < 10; i++) {
    session.now += 40_000;
    sendTime += 40_000;
    session.single(sendTime, 1000);
    session.single(sendTime - 20_000, 1000);
  }
  assert.ok(Math.abs(session.latest - 730_000) <= 50_000, `${session.latest}`);
});

test("P25: overuse from the start, 300 kbit/s over a path of 200: 160…200 kbit/s within 40 frames, 90 a second", () => {
  const rate = new DelaySession().initialOveruse();
  assert.ok(rate > 160_000 && rate <= 200_000, `${rate}`);
});

test("overuse before anything was acknowledged halves the rate, every 200 ms", () => {
  const session = new DelaySession();
  session.delay.setStartRate(300_000);
  const rates: number[] = [];
  let sendTime = 0;
  for (let i = 0; i < 60; i++) {
    session.now += 30_000;
    sendTime += 20_000;
    session.begin();
    session.packet(sendTime, session.now, 1000);
    session.feedback.sort();
    session.delay.receive(session.feedback, undefined, undefined, false);
    if (session.delay.updated && session.delay.state === "overusing") rates.push(session.delay.rate);
  }
  const [first = 0] = rates;
  assert.ok(first > 150_000 && first < 170_000, `${first}`);
  assert.deepEqual(rates.slice(0, 4), [first, first / 2, first / 4, first / 8]);
  // From the detection on there are 200 ms between two: 7 feedbacks, 30 ms apart.
  assert.ok(rates.length <= Math.ceil(60 / 7), `${rates.length}`);
});

test("bursts of packets sent within 5 ms count as one group, and a growing delay lowers the rate", () => {
  const session = new DelaySession();
  let sendTime = 0;
  for (let i = 0; i <= 300; i++) {
    session.single(sendTime, 1000);
    session.now += 20_000;
    sendTime += 20_000;
  }
  assert.ok(session.latest >= 400_000, `${session.latest}`);
  for (let i = 0; i < 100; i++) {
    for (let k = 0; k < 15; k++) {
      session.single(sendTime, 100);
      session.now += 1000;
      sendTime += 1000;
    }
    session.now += 10_000;
    sendTime += 5000;
  }
  assert.ok(session.latest < 400_000, `${session.latest}`);
});

test("after 35 s and after 640 s of silence the detector begins anew", () => {
  for (const silence of [35_000_000, 640_000_000]) {
    const session = new DelaySession();
    let sendTime = 0;
    for (let i = 0; i < 3000; i++) {
      session.single(sendTime, 1000);
      session.now += 10_000;
      sendTime += 10_000;
    }
    const before = session.delay.rate;
    session.now += silence;
    sendTime += silence;
    for (let i = 0; i < 24; i++) {
      session.single(sendTime, 1000);
      session.now += 20_000;
      sendTime += 10_000;
    }
    assert.ok(session.delay.rate < before, `${before} → ${session.delay.rate}`);
  }
});

test("feedback 2 s after the last belongs to the same stream, later feedback begins anew", () => {
  for (const [silence, kept] of [
    [2_000_000, true],
    [2_001_000, false],
  ] as const) {
    const session = new DelaySession();
    let sendTime = 0;
    for (let i = 0; i < 40; i++) {
      session.now += 25_000;
      sendTime += 20_000;
      session.single(sendTime, 1000);
    }
    const { slope } = session.delay;
    assert.ok(slope > 0);
    session.now += silence;
    sendTime += silence;
    session.single(sendTime, 1000);
    assert.equal(session.delay.slope > 0, kept);
  }
});

test("times finer than a millisecond cause no overuse (webrtc:14023)", () => {
  const session = new DelaySession();
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    session.now += 500;
    session.single(session.now - 500, 1000);
    session.now += 9500;
    session.single(session.now - 250, 1000);
    session.now += 10_000;
    assert.ok(session.latest >= last);
    last = session.latest;
  }
  assert.ok(last > 0);
});

test("a probe sets the rate unless the path is overused; a drained queue that is normal again is told of", () => {
  const session = new DelaySession();
  session.delay.setStartRate(300_000);
  session.single(0, 1000, 900_000);
  assert.equal(session.delay.probe, true);
  assert.equal(session.delay.rate, 900_000);
  // 20 ms between packets that arrive 30 ms apart, until the detector sees it, then a drain.
  let sendTime = 0;
  for (let i = 0; i < 60 && session.delay.state !== "overusing"; i++) {
    session.now += 30_000;
    sendTime += 20_000;
    session.single(sendTime, 1000);
  }
  assert.equal(session.delay.state, "overusing");
  session.now += 30_000;
  sendTime += 20_000;
  session.single(sendTime, 1000, 5_000_000);
  assert.equal(session.delay.probe, false);
  assert.ok(session.delay.rate < 900_000);
  let recovered = false;
  for (let i = 0; i < 400 && !recovered; i++) {
    // The queue that was built drains 2 ms a packet, then the path is even.
    session.now += i < 40 ? 18_000 : 20_000;
    sendTime += 20_000;
    session.single(sendTime, 1000);
    recovered = session.delay.recoveredFromOveruse;
  }
  assert.ok(recovered);
});

test("the same feedback gives the same estimate to the last bit", () => {
  const run = (): number[] => {
    const session = new DelaySession();
    session.addCamera();
    const rates: number[] = [];
    let rate = 200_000;
    for (let i = 0; i < 600; i++) {
      if (i === 400) session.stream.capacity = 300_000;
      session.frame(rate);
      if (session.updated) rate = session.latest;
      rates.push(rate);
    }
    return rates;
  };
  assert.deepEqual(run(), run());
});

test("a feedback of which nothing arrived says nothing of delay", () => {
  const session = new DelaySession();
  session.delay.setStartRate(300_000);
  session.begin();
  session.packet(0, Number.POSITIVE_INFINITY, 1000);
  session.end();
  assert.equal(session.updated, false);
  assert.equal(session.delay.rate, 300_000);
});
