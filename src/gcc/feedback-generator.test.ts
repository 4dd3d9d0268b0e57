/** Expectations of libwebrtc's TransportSequenceNumberFeedbackGenerator tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ArrivalReport, FeedbackGenerator, type FeedbackGeneratorOptions } from "./feedback-generator.ts";

const BASE = 10;
const BASE_TIME = 123_000;
const SECOND = 1_000_000;
const SMALL_DELTA_MAX = 255 * 250;

interface Told {
  readonly base: number;
  readonly sequence: number[];
  readonly arrival: number[];
}

class Receiver {
  readonly generator: FeedbackGenerator;
  now = 0;

  constructor(options: FeedbackGeneratorOptions = {}) {
    this.generator = new FeedbackGenerator(options);
  }

  /** Reports after a further 100 ms. */
  process(): Told[] {
    this.now += 100_000;
    this.generator.advance(this.now);
    const told: Told[] = [];
    const report = new ArrivalReport();
    while (this.generator.report(report)) {
      told.push({
        base: report.baseSequence,
        sequence: [...report.sequence.subarray(0, report.length)],
        arrival: [...report.arrival.subarray(0, report.length)],
      });
    }
    return told;
  }
}

test("a packet, and a copy of it that came later", () => {
  const { generator } = new Receiver();
  const receiver = new Receiver();
  assert.equal(generator.deadline(), Number.POSITIVE_INFINITY);
  receiver.generator.receive(BASE, BASE_TIME);
  receiver.generator.receive(BASE, BASE_TIME + SECOND);
  assert.deepEqual(receiver.process(), [{ base: BASE, sequence: [BASE], arrival: [BASE_TIME] }]);
  assert.deepEqual(receiver.process(), []);
});

test("a report begins with the losses at its head", () => {
  const receiver = new Receiver();
  receiver.generator.receive(BASE, BASE_TIME);
  receiver.generator.receive(BASE + 1, BASE_TIME + SECOND);
  receiver.process();
  receiver.generator.receive(BASE + 3, BASE_TIME + 3 * SECOND);
  assert.deepEqual(receiver.process(), [{ base: BASE + 2, sequence: [BASE + 3], arrival: [BASE_TIME + 3 * SECOND] }]);
});

test("deltas that do not fit 16 bits begin another report", () => {
  const receiver = new Receiver();
  const tooLarge = 250 * 65_536;
  receiver.generator.receive(BASE, BASE_TIME);
  receiver.generator.receive(BASE + 1, BASE_TIME + tooLarge);
  assert.deepEqual(receiver.process(), [
    { base: BASE, sequence: [BASE], arrival: [BASE_TIME] },
    { base: BASE + 1, sequence: [BASE + 1], arrival: [BASE_TIME + tooLarge] },
  ]);
});

test("small and large deltas share a report", () => {
  const receiver = new Receiver();
  const times = [BASE_TIME, BASE_TIME + SMALL_DELTA_MAX, BASE_TIME + 2 * SMALL_DELTA_MAX + 1000];
  times.forEach((time, i) => {
    receiver.generator.receive(BASE + i, time);
  });
  assert.deepEqual(receiver.process(), [{ base: BASE, sequence: [BASE, BASE + 1, BASE + 2], arrival: times }]);
});

test("numbers that jump by 20,000 leave the last that fit (chromium:949020)", () => {
  const receiver = new Receiver();
  for (let i = 0; i < 10; i++) {
    for (let k = 0; k < 3; k++) {
      const wire = BASE + k * 20_000 + i;
      receiver.generator.receive(wire + 65_536 * i, BASE_TIME + (3 * i + k) * SECOND);
    }
  }
  const told = receiver.process();
  assert.deepEqual(
    told.flatMap(({ sequence }) => sequence.map((s) => s % 65_536)),
    [BASE + 20_009, BASE + 40_009],
  );
  assert.ok(receiver.generator.stats.overflowed > 0);
});

test("a late packet is reported with all behind it", () => {
  const receiver = new Receiver();
  receiver.generator.receive(BASE, BASE_TIME);
  receiver.generator.receive(BASE + 2, BASE_TIME + 2000);
  receiver.process();
  receiver.generator.receive(BASE + 1, BASE_TIME + 1000);
  assert.deepEqual(receiver.process(), [{ base: BASE + 1, sequence: [BASE + 1, BASE + 2], arrival: [BASE_TIME + 1000, BASE_TIME + 2000] }]);
});

test("a late packet waits for the next round", () => {
  const receiver = new Receiver();
  receiver.generator.receive(BASE, BASE_TIME);
  receiver.generator.receive(BASE + 2, BASE_TIME + 2000);
  receiver.process();
  receiver.generator.receive(BASE + 1, BASE_TIME + 1000);
  assert.equal(receiver.generator.report(new ArrivalReport()), false);
  assert.equal(receiver.process().length, 1);
});

test("arrivals older than 500 ms are not reported again", () => {
  const receiver = new Receiver();
  const timeout = BASE_TIME + 500_000;
  receiver.generator.receive(BASE + 2, BASE_TIME);
  assert.equal(receiver.process().length, 1);
  receiver.generator.receive(BASE + 3, timeout);
  assert.deepEqual(receiver.process(), [{ base: BASE + 3, sequence: [BASE + 3], arrival: [timeout] }]);
  receiver.generator.receive(BASE, BASE_TIME - 1000);
  receiver.generator.receive(BASE + 1, timeout - 1000);
  assert.deepEqual(receiver.process(), [
    { base: BASE, sequence: [BASE, BASE + 1, BASE + 3], arrival: [BASE_TIME - 1000, timeout - 1000, timeout] },
  ]);
});

test("the interval: 100 ms before there is an estimate, then 68 bytes in 5 % of it, 50…250 ms", () => {
  const { generator } = new Receiver();
  assert.equal(generator.interval, 100_000);
  for (const [rate, interval] of [
    [300_000, 50_000],
    [0, 250_000],
    [20_000, 250_000],
    [80_000, 136_000],
  ] as const) {
    generator.setSendRate(rate);
    assert.equal(Math.round(generator.interval), interval);
  }
});

test("rounds are an interval apart, and the deadline says when", () => {
  const receiver = new Receiver();
  const { generator } = receiver;
  generator.receive(1, 5000);
  assert.ok(generator.deadline() <= 5000, "the first may go at once");
  assert.equal(receiver.process().length, 1);
  assert.equal(generator.deadline(), Number.POSITIVE_INFINITY);
  generator.receive(2, receiver.now + 5);
  assert.equal(generator.deadline(), receiver.now + 100_000);
  const report = new ArrivalReport();
  generator.advance(receiver.now + 99_999);
  assert.equal(generator.report(report), false, "early calls are harmless");
  generator.advance(receiver.now + 100_000);
  assert.equal(generator.report(report), true);
});

test("reports are bounded, and what a writer had no room for is told in the next", () => {
  const receiver = new Receiver({ reportPacketsMax: 4 });
  for (let i = 0; i < 10; i++) receiver.generator.receive(i, 1000 * i);
  assert.deepEqual(
    receiver.process().map(({ base, sequence }) => [base, sequence.length]),
    [
      [0, 4],
      [4, 4],
      [8, 2],
    ],
  );
  for (let i = 10; i < 14; i++) receiver.generator.receive(i, 1000 * i);
  receiver.now += 100_000;
  receiver.generator.advance(receiver.now);
  const report = new ArrivalReport();
  receiver.generator.report(report);
  receiver.generator.retract(12);
  assert.equal(receiver.generator.report(report), true);
  assert.equal(report.baseSequence, 12);
  assert.equal(report.length, 2);
  assert.equal(receiver.generator.report(report), false);
});
