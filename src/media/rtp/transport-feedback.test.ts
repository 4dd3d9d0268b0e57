import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { RtcpCompound } from "./rtcp-compound.ts";
import { hexOf, opened, viewOf, written } from "./testing/packet.ts";
import { TransportFeedback } from "./transport-feedback.ts";
import { TransportFeedbackWriter } from "./transport-feedback-writer.ts";

/** "sequence@microseconds", or the bare sequence number when lost. */
function read(packet: Uint8Array | string, feedback = new TransportFeedback()): string[] | undefined {
  const rtcp = opened(packet);
  if (!feedback.read(rtcp)) {
    assert.equal(rtcp.stats.damagedBodies, 1);
    assert.ok(!feedback.next(rtcp));
    return undefined;
  }
  const told: string[] = [];
  while (feedback.next(rtcp))
    told.push(feedback.received ? `${feedback.sequence}@${feedback.timed ? feedback.arrival : "?"}` : `${feedback.sequence}`);
  assert.ok(!feedback.next(rtcp));
  assert.equal(told.length, feedback.statusCount);
  assert.equal(told.filter((entry) => entry.includes("@")).length, feedback.receivedCount);
  return told;
}

/** Arrivals [sequence, microseconds] in one report. */
function write(base: number, arrivals: readonly (readonly [number, number])[], feedbackCount = 0): Uint8Array {
  const writer = new TransportFeedbackWriter();
  writer.begin(base, arrivals[0]![1]);
  for (const [sequence, arrival] of arrivals) assert.ok(writer.add(sequence, arrival));
  return written((view, at, limit) => writer.write(view, at, limit, 0xfa17fa17, 0x43a10001, feedbackCount));
}

const ARRIVALS = [
  [155, 449_000],
  [156, 1_699_000],
  [158, 1_649_000],
  [159, 1_651_500],
  [160, 1_652_250],
] as const;

test("golden bytes both ways: losses at the head and inside, small, large and negative deltas", () => {
  const golden = "8fcd0006 fa17fa17 43a10001 0099 0007 000007 58 c189 04 1388 ff38 0a".replaceAll(" ", "");
  assert.equal(hexOf(write(153, ARRIVALS.slice(0, 4), 88)), golden);
  const feedback = new TransportFeedback();
  assert.deepEqual(read(golden, feedback), ["153", "154", "155@449000", "156@1699000", "157", "158@1649000", "159@1651500"]);
  assert.deepEqual([feedback.senderSsrc, feedback.mediaSsrc, feedback.feedbackCount, feedback.timed], [0xfa17fa17, 0x43a10001, 88, true]);
});

test("golden bytes both ways: the last word is filled, and P says so", () => {
  const golden = "afcd0007 fa17fa17 43a10001 0099 0008 000007 58 c189 2001 04 1388 ff38 0a 03 01".replaceAll(" ", "");
  assert.equal(hexOf(write(153, ARRIVALS, 88)), golden);
  assert.equal(read(golden)?.at(-1), "160@1652250");
  const run = "afcd0006 fa17fa17 43a10001 0001 0003 000007 00 2003 0001fe 000003".replaceAll(" ", "");
  const arrivals = [
    [1, 448_000],
    [2, 448_250],
    [3, 511_750],
  ] as const;
  assert.equal(hexOf(write(1, arrivals)), run);
  assert.deepEqual(read(run), ["1@448000", "2@448250", "3@511750"]);
  assert.deepEqual(read(run.replace("afcd", "8fcd")), ["1@448000", "2@448250", "3@511750"], "older writers fill without P");
});

test("a delta of 0…255 ticks takes one byte, any other two", () => {
  const ticks = [0, 255, 511, 510, 510, 33_277, 509];
  const bytes = write(
    0,
    ticks.map((tick, i) => [i, tick * 250] as const),
  );
  assert.equal(hexOf(bytes, 20), "d69a 00 ff 0100 ffff 00 7fff 8000 000003".replaceAll(" ", ""));
});

test("sequence numbers and the reference time go on across their wraps, over many reports", () => {
  const prng = new Prng(10);
  const feedback = new TransportFeedback();
  const writer = new TransportFeedbackWriter();
  // A little before 2^16, and before the reference time wraps after 12.4 days: both happen within the run.
  let sequence = 65_000;
  let now = 2 ** 24 * 64_000 - 5e6;
  for (let report = 0; report < 300; report++) {
    const base = sequence;
    const expected: string[] = [];
    writer.begin(base, now);
    while (expected.length < 20) {
      if (prng.chance(0.1)) expected.push(`${sequence}`);
      else {
        assert.ok(writer.add(sequence, now));
        expected.push(`${sequence}@${Math.round(now / 250) * 250}`);
        now += prng.chance(0.1) ? -prng.below(4000) : prng.below(9000);
      }
      sequence++;
    }
    // Losses behind the last arrival are not told yet.
    while (!expected.at(-1)!.includes("@")) expected.pop();
    sequence = writer.nextSequence;
    const bytes = written((view, at, limit) => writer.write(view, at, limit, 1, 2, report));
    assert.deepEqual(read(bytes, feedback), expected);
    assert.equal(feedback.feedbackCount, report & 255);
  }
  assert.ok(sequence > 70_000 && now > 2 ** 24 * 64_000 + 5e6);
});

test("rounding does not add up: 1000 arrivals 333 µs apart stay within half a tick", () => {
  const writer = new TransportFeedbackWriter({ bytesMax: 4000 });
  const feedback = new TransportFeedback();
  writer.begin(0, 123_456.7);
  for (let i = 0; i < 1000; i++) assert.ok(writer.add(i, 123_456.7 + i * 333));
  const rtcp = opened(written((view, at, limit) => writer.write(view, at, limit, 1, 2, 0), 4000));
  assert.ok(feedback.read(rtcp));
  for (let i = 0; feedback.next(rtcp); i++) assert.ok(Math.abs(feedback.arrival - (123_456.7 + i * 333)) <= 125);
});

test("what does not fit one report is refused and counted, and fits the next", () => {
  const writer = new TransportFeedbackWriter({ bytesMax: 60 });
  writer.begin(10, 1_000_000);
  assert.ok(writer.add(10, 1_000_000));
  assert.ok(!writer.add(10, 1_000_000), "told already");
  assert.ok(!writer.add(9, 1_000_000), "late");
  assert.ok(!writer.add(10 + 32_768, 1_000_000), "too many between");
  assert.ok(!writer.add(11, 1_000_000 + 32_768 * 250), "too long after");
  assert.ok(!writer.add(11, 1_000_000 - 32_769 * 250), "too long before");
  assert.deepEqual(writer.stats, { full: 0, gaps: 5 });
  assert.equal(writer.statusCount, 1);
  assert.ok(writer.add(11, 1_000_000 - 32_768 * 250));
  let sequence = 12;
  while (writer.add(sequence, 1_000_000 - 250)) sequence++;
  assert.equal(writer.stats.full, 1);
  const bytes = written((view, at, limit) => writer.write(view, at, limit, 1, 2, 0), 60);
  assert.ok(bytes.length > 52 && bytes.length <= 60, `${bytes.length} bytes`);
  assert.equal(read(bytes)?.length, sequence - 10);
  assert.equal(written((view, at, limit) => writer.write(view, at, limit, 1, 2, 0), bytes.length - 1).length, 0);
  writer.begin(sequence, 1_000_000);
  assert.ok(writer.add(sequence + 32_767, 1_000_000), "the first arrival of a report always fits");
  assert.equal(read(written((view, at, limit) => writer.write(view, at, limit, 1, 2, 0), 60))?.length, 32_768);
  writer.begin(0, 0);
  assert.equal(written((view, at, limit) => writer.write(view, at, limit, 1, 2, 0)).length, 0, "nothing added, nothing written");
});

test("a report without deltas says what arrived, not when", () => {
  const feedback = new TransportFeedback();
  assert.deepEqual(read("8fcd0005 00000001 00000002 0005 0004 000007 00 9c00 0000", feedback), ["5", "6@?", "7@?", "8@?"]);
  assert.equal(feedback.timed, false);
  assert.deepEqual(read("8fcd0005 00000001 00000002 0005 0004 000007 00 2002 4002"), ["5@?", "6@?", "7@?", "8@?"]);
});

test("damage is refused: missing chunks, deltas cut short, the reserved symbol, no packets", () => {
  for (const damaged of [
    "8fcd0003 00000001 00000002 00050003",
    "8fcd0004 00000001 00000002 00050003 00000700",
    "8fcd0005 00000001 00000002 00050000 00000700 20010400",
    "8fcd0005 00000001 00000002 00050010 00000700 20040001",
    "8fcd0005 00000001 00000002 00050004 00000700 20040101",
    "8fcd0006 00000001 00000002 00050004 00000700 40040101 01010101",
    "8fcd0005 00000001 00000002 00050001 00000700 60010000",
    "8fcd0005 00000001 00000002 00050007 00000700 c0030000",
  ])
    assert.equal(read(damaged), undefined, damaged);
  assert.deepEqual(read("8fcd0005 00000001 00000002 00050001 00000700 d7ff0400"), ["5@449000"], "symbols beyond the count mean nothing");
});

test("a report longer than the limit is dropped and counted", () => {
  const all = "8fcd0009 00000001 00000002 0005ffff 00000700 1fff1fff 1fff1fff 1fff1fff 1fff1fff 00070000";
  const feedback = new TransportFeedback();
  const rtcp = opened(all);
  assert.ok(!feedback.read(rtcp));
  assert.ok(!feedback.next(rtcp));
  assert.deepEqual(feedback.stats, { reports: 1, tooLong: 1 });
  assert.equal(rtcp.stats.damagedBodies, 0);
  assert.equal(read(all, new TransportFeedback({ statusCountMax: 65_535 }))?.length, 65_535);
});

test("a damaged report leaves sequence and time where they were", () => {
  const feedback = new TransportFeedback();
  const rtcp = new RtcpCompound();
  assert.deepEqual(read("8fcd0005 00000001 00000002 fff00001 00000700 20010400", feedback), ["65520@449000"]);
  const damaged = opened("8fcd0005 00000001 00000002 80000001 80000000 60010000", rtcp);
  assert.ok(!feedback.read(damaged));
  assert.deepEqual(read("8fcd0005 00000001 00000002 00100001 00000800 20010400", feedback), ["65552@513000"]);
});

test("random arrivals come back, bytes written again are the same bytes", () => {
  const prng = new Prng(11);
  const bytes = new Uint8Array(1300);
  const view = viewOf(bytes);
  const rtcp = new RtcpCompound();
  const writer = new TransportFeedbackWriter();
  const again = new TransportFeedbackWriter();
  for (let round = 0; round < 500; round++) {
    const feedback = new TransportFeedback();
    const loss = prng.float() ** 3;
    let sequence = prng.below(65_536);
    let now = prng.below(1e9);
    writer.begin(sequence, now);
    for (let n = 1 + prng.below(200); n > 0; n--) {
      sequence += prng.chance(loss) ? prng.below(prng.chance(0.1) ? 9000 : 20) : 0;
      if (!writer.add(sequence++, now)) break;
      now += prng.chance(0.05) ? prng.below(8e6) - 4e6 : prng.below(30_000) - 2000;
    }
    const length = writer.write(view, 0, 1300, 1, 2, round);
    assert.ok(length > 0 && length % 4 === 0);
    rtcp.open(bytes, view, 0, length);
    assert.ok(rtcp.next() && feedback.read(rtcp));
    let started = false;
    const base = feedback.sequence + 1;
    while (feedback.next(rtcp)) {
      if (!feedback.received) continue;
      if (!started) again.begin(base, feedback.arrival);
      started = true;
      assert.ok(again.add(feedback.sequence, feedback.arrival));
    }
    const copy = written((into, at, limit) => again.write(into, at, limit, 1, 2, round));
    assert.equal(hexOf(copy), hexOf(bytes, 0, length));
  }
});
