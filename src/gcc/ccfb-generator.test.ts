/** Expectations of libwebrtc's CongestionControlFeedbackGenerator tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CcfbGenerator, CcfbReport } from "./ccfb-generator.ts";

const MS = 1000;
const START = 123_456 * MS;
const CE = 3;

/** Bytes of a message of one stream, and of the layers below it. */
const messageBytes = (packets: number): number => 12 + 8 + ((packets * 2 + 3) & ~3);

class Receiver {
  now = START;
  readonly generator: CcfbGenerator;
  /** The last message. */
  report: CcfbReport;
  readonly times: number[] = [];
  bytes = 0;

  constructor(generator = new CcfbGenerator(), capacity = 1000) {
    this.generator = generator;
    this.report = new CcfbReport(capacity);
  }

  receive(sequence: number, marker: boolean, ssrc = 1234, ecn = 0): void {
    this.generator.receive(ssrc, sequence & 0xffff, this.now, marker, ecn);
  }

  /** Messages that are due now. */
  process(): number {
    this.generator.advance(this.now);
    let messages = 0;
    for (;;) {
      const report = new CcfbReport(this.report.capacity);
      if (!this.generator.report(report)) return messages;
      this.report = report;
      messages++;
      this.times.push(this.now);
      this.bytes += messageBytes(this.report.length);
    }
  }
}

test("the end of a frame is reported at once, other packets after 25 ms", () => {
  const receiver = new Receiver();
  assert.equal(receiver.generator.deadline(), Number.POSITIVE_INFINITY);
  receiver.receive(1, false);
  receiver.receive(2, true);
  assert.equal(receiver.process(), 1);
  assert.equal(receiver.report.length, 2);

  const waiting = new Receiver();
  waiting.receive(1, false);
  assert.equal(waiting.generator.deadline(), START + 25 * MS);
  waiting.now += 25 * MS - 1;
  assert.equal(waiting.process(), 0);
  waiting.now += 1;
  assert.equal(waiting.process(), 1);
});

test("messages are at least 25 ms apart", () => {
  const receiver = new Receiver();
  for (let i = 0; i < 3; i++) {
    receiver.receive(i, true);
    receiver.process();
    receiver.now += 2 * MS;
  }
  receiver.now = receiver.generator.deadline();
  receiver.process();
  assert.deepEqual(receiver.times, [START, START + 25 * MS]);
});

test("30,000 packets a second are reported in less than 500 kbit/s, at least 39 times a second", () => {
  const receiver = new Receiver();
  let sequence = 0;
  for (; receiver.now < START + 1000 * MS; receiver.now += MS) {
    for (let i = 0; i < 30; i++) receiver.receive(sequence++, true);
    receiver.process();
  }
  assert.ok(receiver.bytes * 8 <= 500_000, `${receiver.bytes * 8}`);
  assert.ok(receiver.times.length >= 39, `${receiver.times.length}`);
});

test("25,000 packets a second are reported every 25 ms", () => {
  const receiver = new Receiver();
  let sequence = 0;
  for (; receiver.now < START + 1000 * MS; receiver.now += MS) {
    for (let i = 0; i < 25; i++) receiver.receive(sequence++, i === 24);
    receiver.process();
  }
  assert.equal(receiver.times.length, 40);
  assert.ok(receiver.times.every((time, i) => i === 0 || time - (receiver.times[i - 1] ?? 0) === 25 * MS));
});

test("messages can be held to a share of what we may send", () => {
  const generator = new CcfbGenerator({ feedbackShare: 0.05 });
  generator.setSendRate(100_000, true);
  const receiver = new Receiver(generator);
  for (let i = 0; receiver.now < START + 10_000 * MS; receiver.now += MS) {
    if (i % 20 === 0) receiver.receive(i / 20, true);
    i++;
    receiver.process();
  }
  const rate = ((receiver.bytes + 42 * receiver.times.length) * 8) / 10;
  assert.ok(rate > 4000 && rate <= 5100, `${rate}`);
});

test("two streams, reordered, with losses and across the wrap: 14 packets", () => {
  const receiver = new Receiver();
  receiver.receive(1, false, 123);
  receiver.receive(1, false, 234);
  receiver.now += 2 * MS;
  receiver.receive(0xfffa, false, 123);
  receiver.receive(0xfffc, false, 234);
  receiver.now += 23 * MS;
  assert.equal(receiver.process(), 1);
  const { report } = receiver;
  assert.equal(report.length, 14);
  assert.deepEqual([...report.ssrc.subarray(0, 14)], [...new Array(8).fill(123), ...new Array(6).fill(234)]);
  assert.deepEqual([...report.sequence.subarray(0, 8)], [0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff, 0, 1]);
  assert.equal(report.arrivalOffset[0], 23 * MS);
  assert.equal(report.arrivalOffset[7], 25 * MS);
  assert.ok(Number.isNaN(report.arrivalOffset[1]));
});

test("of copies the first arrival counts, and any mark of congestion", () => {
  const receiver = new Receiver();
  receiver.receive(2, false, 1, 1);
  receiver.now += 2 * MS;
  receiver.receive(2, false, 1, CE);
  receiver.receive(2, false, 1, 1);
  receiver.now += 23 * MS;
  receiver.process();
  assert.equal(receiver.report.length, 1);
  assert.equal(receiver.report.ecn[0], CE);
  assert.equal(receiver.report.arrivalOffset[0], 25 * MS);
});

test("late packets are reported again with what is behind them, up to 64 back", () => {
  const receiver = new Receiver();
  for (const sequence of [100, 102]) receiver.receive(sequence, true);
  receiver.process();
  receiver.now += 30 * MS;
  receiver.receive(101, true);
  receiver.process();
  assert.deepEqual([...receiver.report.sequence.subarray(0, receiver.report.length)], [101, 102]);
  receiver.now += 30 * MS;
  receiver.receive(102 - 64, true);
  assert.equal(receiver.process(), 0);
});

test("a sender that counts elsewhere all of a sudden is followed after a round", () => {
  const receiver = new Receiver();
  receiver.receive(1, true);
  receiver.process();
  for (let i = 0; i < 3; i++) {
    receiver.now += 30 * MS;
    receiver.receive(30_000 + i, true);
    receiver.process();
  }
  assert.equal(receiver.times.length, 3, "of the new count only the first packet is lost");
});

test("a leap ahead is told in bounded rounds, at 500 kbit/s", () => {
  const receiver = new Receiver(new CcfbGenerator(), 500);
  receiver.receive(1, true);
  receiver.process();
  receiver.now += 30 * MS;
  receiver.receive(16_000, true);
  assert.ok(receiver.process() <= 16);
  const until = receiver.now + 2000 * MS;
  while (receiver.generator.deadline() < until) {
    receiver.now = receiver.generator.deadline();
    receiver.process();
  }
  assert.equal(receiver.times.length, 33, "16,000 packets, 500 a message, and the first");
});

test("streams are bounded: the one that was silent longest makes room", () => {
  const receiver = new Receiver(new CcfbGenerator({ streamsMax: 2 }));
  for (const ssrc of [1, 2, 3]) {
    receiver.now += MS;
    receiver.receive(1, true, ssrc);
  }
  assert.equal(receiver.generator.stats.streamsEvicted, 1);
  receiver.generator.advance(receiver.now);
  receiver.generator.report(receiver.report);
  assert.deepEqual([...receiver.report.ssrc.subarray(0, receiver.report.length)], [3, 2]);
});
