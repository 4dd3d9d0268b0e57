/** Expectations of libwebrtc's AimdRateControl tests: reference/gcc.md L, P28 and P29, and the worked figures of C2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Aimd } from "./aimd.ts";

const MS = 1000;
const START = 123_456 * MS;

function at(rate: number): Aimd {
  const aimd = new Aimd();
  aimd.setEstimate(rate, START);
  return aimd;
}

test("C2: growth near the capacity", () => {
  assert.equal(at(30_000).nearMaxIncrease, 4000, "never less");
  assert.equal(Math.round(at(90_000).nearMaxIncrease), 5000);
  const near = at(60_000);
  near.rtt = 100 * MS;
  assert.equal(Math.round(near.nearMaxIncrease), 5000);
  const overused = at(300_000);
  overused.update("overusing", 300_000, START);
  assert.ok(Math.abs(overused.nearMaxIncrease - 14_000) <= 1000, `${overused.nearMaxIncrease}`);
  assert.equal(overused.expectedPeriod, 3000 * MS, "what was sent arrived: the decrease does not count");
  assert.equal(Math.round(at(216_000).nearMaxIncrease), 12_000);
  assert.equal(Math.round(at(300_000).nearMaxIncrease), 8333, "a frame of 1250 bytes takes two packets");
});

test("P28: overuse at 264 kbit/s with (216 + 5) / 0.85 acknowledged: 216 kbit/s, and 12 kbit/s more each second", () => {
  const aimd = at(264_000);
  aimd.update("overusing", (216_000 + 5000) / 0.85, START + 100 * MS);
  assert.ok(Math.abs(aimd.rate - 216_000) < 1e-6, `${aimd.rate}`);
  assert.equal(Math.round(aimd.nearMaxIncrease), 12_000);
  // 48 kbit/s were taken: at 12 a second they are back after 4 s.
  assert.equal(Math.round(aimd.expectedPeriod), 4000 * MS);
  // The first normal signal only ends the hold; from there the increase is additive.
  aimd.update("normal", 260_000, START + 200 * MS);
  aimd.update("normal", 260_000, START + 1200 * MS);
  assert.ok(Math.abs(aimd.rate - 228_000) < 100, `${aimd.rate}`);
});

test("P29: 20 s of normal with 10 kbit/s acknowledged: 25 kbit/s", () => {
  const aimd = at(10_000);
  for (let t = 0; t < 20_000; t += 100) aimd.update("normal", 10_000, START + t * MS);
  assert.equal(aimd.rate, 25_000);
});

test("an acknowledged rate that falls neither lowers the rate nor lets it rise", () => {
  const aimd = at(100_000);
  for (let t = 0; t < 20_000; t += 100) aimd.update("normal", 100_000, START + t * MS);
  const before = aimd.rate;
  assert.ok(Math.abs(before - 160_000) <= 2000);
  assert.equal(aimd.update("normal", 50_000, START + 20_100 * MS), before);
});

test("multiplicative increase: 8 % a second, not more after a pause", () => {
  const aimd = at(1_000_000);
  aimd.update("normal", 1_000_000, START);
  const first = aimd.rate;
  aimd.update("normal", 1_000_000, START + 500 * MS);
  assert.ok(Math.abs(aimd.rate - first * 1.08 ** 0.5) < 1, `${aimd.rate}`);
  const second = aimd.rate;
  aimd.update("normal", 1_000_000, START + 60_000 * MS);
  assert.ok(Math.abs(aimd.rate - second * 1.08) < 1, `${aimd.rate}`);
});

test("the expected period is 3 s before the first overuse, then 2…50 s", () => {
  const start = new Aimd();
  start.setStartRate(300_000);
  assert.equal(start.expectedPeriod, 3000 * MS);
  start.update("overusing", 280_000, START);
  assert.notEqual(start.expectedPeriod, 3000 * MS);

  const small = at(10_000);
  small.update("overusing", 9999, START + 100 * MS);
  assert.equal(small.expectedPeriod, 2000 * MS);

  const large = at(10_010_000);
  large.update("overusing", 10_000 / 0.85, START + 100 * MS);
  assert.equal(large.expectedPeriod, 50_000 * MS);
});

test("without a start rate 5 s of throughput set it, and an unknown throughput later bounds it", () => {
  const aimd = new Aimd();
  aimd.update("normal", 123_000, START);
  assert.equal(aimd.valid, false);
  aimd.update("normal", 123_000, START + 5000 * MS);
  assert.equal(aimd.valid, false, "5 s must have passed");
  aimd.update("normal", 123_000, START + 5001 * MS);
  assert.equal(aimd.valid, true);
  for (let t = 0; t < 10_000; t += 100) aimd.update("normal", undefined, START + (5001 + t) * MS);
  assert.ok(aimd.rate <= 123_000 * 1.5 + 10_000, `${aimd.rate}`);
});

test("an application that sends little raises the rate only where it may", () => {
  for (const increaseInAlr of [true, false]) {
    const aimd = new Aimd({ increaseInAlr });
    aimd.setEstimate(123_000, START);
    aimd.inAlr = true;
    for (let t = 0; t < 10_000; t += 100) aimd.update("normal", 123_000, START + t * MS);
    assert.equal(aimd.rate > 123_000, increaseInAlr);
    aimd.setEstimate(246_000, START + 10_000 * MS);
    assert.equal(aimd.rate, 246_000, "a probe may in any case");
  }
});

test("a decrease never raises: above the rate the link's capacity counts, if known", () => {
  const unknown = at(100_000);
  unknown.update("overusing", 1_000_000, START);
  assert.equal(unknown.rate, 100_000);
  // The capacity is 1 Mbit/s now, of which 0.85 is still above the rate.
  unknown.update("overusing", 1_000_000, START + 300 * MS);
  assert.equal(unknown.rate, 100_000);
  unknown.setEstimate(950_000, START + 400 * MS);
  unknown.update("overusing", 1_200_000, START + 500 * MS);
  assert.ok(Math.abs(unknown.rate - 0.85 * 1_000_000) < 1, `${unknown.rate}`);
});

test("underuse holds the rate until a normal signal", () => {
  const aimd = at(500_000);
  aimd.update("normal", 500_000, START + 100 * MS);
  const before = aimd.rate;
  aimd.update("underusing", 500_000, START + 1000 * MS);
  assert.equal(aimd.rate, before);
  aimd.update("normal", 500_000, START + 2000 * MS);
  assert.equal(aimd.rate, before + 1000, "the time of the hold does not count as growth");
});

test("when to reduce further: an RTT of 10…200 ms after the last change, or when half the rate arrives", () => {
  const aimd = at(1_000_000);
  assert.equal(aimd.timeToReduceFurther(START + 199 * MS, 600_000), false);
  assert.equal(aimd.timeToReduceFurther(START + 200 * MS, 600_000), true);
  assert.equal(aimd.timeToReduceFurther(START, 499_999), true);
  aimd.rtt = 2000 * MS;
  assert.equal(aimd.timeToReduceFurther(START + 199 * MS, 600_000), false);
  assert.equal(aimd.timeToReduceFurther(START + 200 * MS, 600_000), true);
  aimd.rtt = 1 * MS;
  assert.equal(aimd.timeToReduceFurther(START + 9 * MS, 600_000), false);
  assert.equal(aimd.timeToReduceFurther(START + 10 * MS, 600_000), true);
});

test("before the acknowledged rate is known, 200 ms lie between two reductions", () => {
  const aimd = new Aimd();
  aimd.setStartRate(1_000_000);
  assert.equal(aimd.initialTimeToReduceFurther(START + 1), true);
  aimd.setEstimate(500_000, START + 1);
  assert.equal(aimd.initialTimeToReduceFurther(START + 200 * MS), false);
  assert.equal(aimd.initialTimeToReduceFurther(START + 200 * MS + 1), true);
});

test("the rate never leaves its lower bound, 5 kbit/s by default", () => {
  const aimd = at(20_000);
  aimd.update("overusing", 0, START + 100 * MS);
  assert.equal(aimd.rate, 5000);
  aimd.setRateMin(50_000);
  assert.equal(aimd.rate, 50_000);
  aimd.setEstimate(1000, START + 200 * MS);
  assert.equal(aimd.rate, 50_000);
});

test("C2: reports of the estimate are 200 ms to 1 s apart, 80 bytes in 5 % of the rate", () => {
  assert.equal(at(1_000_000).feedbackInterval, 200 * MS);
  assert.equal(at(25_600).feedbackInterval, 500 * MS);
  assert.equal(at(5000).feedbackInterval, 1000 * MS);
});
