/** Expectations of libwebrtc's RobustThroughputEstimator tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RobustThroughput } from "./robust-throughput.ts";
import { ConstantRates } from "./testing/constant-rates.ts";

const near = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= 0.05 * expected, `${actual}, not ${expected} ± 5 %`);

test("no rate before 10 packets, then the exact one", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  throughput.receive(rates.feedback(9, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, undefined);
  throughput.receive(rates.feedback(1, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, 800_000);
  throughput.receive(rates.feedback(15, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, 800_000);
});

test("it adapts to 1600, then 400 kbit/s within a second", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  const run = (feedbacks: number, rate: number, low: number, high: number): void => {
    for (let i = 0; i < feedbacks; i++) {
      throughput.receive(rates.feedback(10, 1000, rate, rate));
      const measured = throughput.rate ?? -1;
      assert.ok(measured >= low && measured <= high, `${measured} at ${rate}`);
    }
  };
  run(10, 100_000, 800_000, 800_000);
  run(20, 200_000, 800_000, 1_600_000);
  run(20, 200_000, 1_600_000, 1_600_000);
  run(5, 50_000, 400_000, 1_600_000);
  run(5, 50_000, 400_000, 400_000);
});

test("the smaller of what was sent and what arrived counts", () => {
  const slowPath = new RobustThroughput();
  slowPath.receive(new ConstantRates().feedback(20, 1000, 100_000, 25_000));
  near(slowPath.rate, 200_000);
  const slowSender = new RobustThroughput();
  slowSender.receive(new ConstantRates().feedback(20, 1000, 50_000, 100_000));
  near(slowSender.rate, 400_000);
});

test("a spike of delay does not lower it", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput({ durationMin: 500_000 });
  throughput.receive(rates.feedback(20, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, 800_000);
  rates.receiveClock += 250_000;
  for (let i = 0; i < 30; i++) {
    throughput.receive(rates.feedback(1, 1000, 100_000, 600_000));
    near(throughput.rate, 800_000);
  }
  for (let i = 0; i < 20; i++) {
    throughput.receive(rates.feedback(5, 1000, 100_000, 100_000));
    near(throughput.rate, 800_000);
  }
});

test("of 50 % loss half the rate remains", () => {
  const throughput = new RobustThroughput();
  throughput.receive(new ConstantRates().feedback(20, 1000, 100_000, 100_000, (i) => i % 2 === 1));
  near(throughput.rate, 400_000);
});

test("reordered feedback falls into its place", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  throughput.receive(rates.feedback(20, 1000, 100_000, 100_000));
  const late = rates.feedback(10, 1000, 100_000, 100_000);
  throughput.receive(rates.feedback(10, 1000, 100_000, 100_000));
  assert.ok((throughput.rate ?? 0) < 800_000);
  throughput.receive(late);
  assert.equal(throughput.rate, 800_000);
  for (let i = 0; i < 10; i++) {
    throughput.receive(rates.feedback(15, 1000, 100_000, 100_000));
    assert.equal(throughput.rate, 800_000);
  }
});

test("a packet that arrives a second late does not stretch the time of sending", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput({ durationMin: 500_000 });
  const late = rates.feedback(1, 1000, 100_000, 100_000);
  for (let i = 0; i < 10; i++) throughput.receive(rates.feedback(10, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, 800_000);
  late.receiveTime[0] = rates.receiveClock;
  throughput.receive(late);
  near(throughput.rate, 800_000);
  for (let i = 0; i < 10; i++) {
    throughput.receive(rates.feedback(10, 1000, 100_000, 100_000));
    near(throughput.rate, 800_000);
  }
});

test("a pause of 60 s leaves no rate until there are packets again", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  throughput.receive(rates.feedback(20, 1000, 100_000, 100_000));
  near(throughput.rate, 800_000);
  rates.sendClock += 60_000_000;
  rates.receiveClock += 60_000_000;
  throughput.receive(rates.feedback(5, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, undefined);
  for (let i = 0; i < 4; i++) {
    throughput.receive(rates.feedback(5, 1000, 100_000, 100_000));
    assert.equal(throughput.rate, 800_000);
  }
});

test("a receiver's clock that is set back begins the window anew", () => {
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  throughput.receive(rates.feedback(20, 1000, 100_000, 100_000));
  rates.receiveClock -= 1_020_000;
  throughput.receive(rates.feedback(9, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, undefined);
  throughput.receive(rates.feedback(1, 1000, 100_000, 100_000));
  assert.equal(throughput.rate, 800_000);
});

test("bytes without a sequence number count with the packet behind them", () => {
  const feedback = new ConstantRates().feedback(20, 1000, 100_000, 100_000);
  feedback.priorUnacked.fill(500, 0, 20);
  const throughput = new RobustThroughput();
  throughput.receive(feedback);
  assert.equal(throughput.rate, 1_200_000);
});

test("the window holds 500 packets, however many come at once", () => {
  const throughput = new RobustThroughput();
  const rates = new ConstantRates();
  throughput.receive(rates.feedback(600, 1000, 1_000_000, 1_000_000));
  throughput.receive(rates.feedback(498, 1000, 10_000_000, 10_000_000));
  assert.ok((throughput.rate ?? 0) < 80_000_000 - 1, "the last slow packet is in it");
  throughput.receive(rates.feedback(3, 1000, 10_000_000, 10_000_000));
  assert.equal(throughput.rate, 80_000_000);
});

test("the window holds at least 20 packets, but none older than 5 s", () => {
  // 4 packets a second: 20 of them span 4.75 s, and all count; of 3 a second no more than 16 are younger than 5 s.
  const rates = new ConstantRates();
  const throughput = new RobustThroughput();
  throughput.receive(rates.feedback(40, 1000, 4000, 4000));
  throughput.receive(rates.feedback(15, 2000, 8000, 8000));
  // Of 5 small and 15 large packets the last large one does not count as sent.
  assert.equal(throughput.rate, Math.floor(((5 * 1000 + 14 * 2000) * 8) / 4.75));

  const slow = new RobustThroughput();
  const slowRates = new ConstantRates();
  slow.receive(slowRates.feedback(10, 1000, 500, 500));
  assert.equal(slow.rate, undefined, "10 packets 2 s apart are never in 5 s");
  slow.receive(slowRates.feedback(30, 1000, 1700, 1700));
  assert.equal(slow.rate, undefined, "nor are they 0.59 s apart");
  slow.receive(slowRates.feedback(30, 1000, 2000, 2000));
  assert.notEqual(slow.rate, undefined, "11 packets 0.5 s apart are");
});
