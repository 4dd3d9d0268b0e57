import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import {
  arrivalOffsetOf,
  CE,
  CongestionFeedback,
  ECT_1,
  type Ecn,
  NOT_ECT,
  OFFSET_OVER_RANGE,
  OFFSET_UNAVAILABLE,
} from "./congestion-feedback.ts";
import { CongestionFeedbackWriter } from "./congestion-feedback-writer.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

/** "ssrc:sequence", then "@offset" and ECN when received. */
function read(packet: Uint8Array | string, feedback = new CongestionFeedback()): string[] | undefined {
  const rtcp = opened(packet);
  if (!feedback.read(rtcp)) {
    assert.equal(rtcp.stats.damagedBodies, 1);
    assert.ok(!feedback.next(rtcp));
    return undefined;
  }
  const told: string[] = [];
  while (feedback.next(rtcp))
    told.push(`${feedback.ssrc}:${feedback.sequenceNumber}${feedback.received ? `@${feedback.arrivalOffset}/${feedback.ecn}` : ""}`);
  assert.ok(!feedback.next(rtcp));
  return told;
}

const GOLDEN = `8bcd000b 00000001
  000000aa fffe0003 81ff e400 0000 0000
  000000bb 00050000
  000000cc 00640002 9ffe bfff
  1234abcd`.replace(/\s/g, "");

test("golden bytes both ways: odd count, a wrap, an empty stream, CE, the two special offsets", () => {
  const feedback = new CongestionFeedback();
  const told = ["170:65534@511/0", "170:65535@1024/3", "170:0", "204:100@8190/0", "204:101@8191/1"];
  assert.deepEqual(read(GOLDEN, feedback), told);
  assert.deepEqual([feedback.senderSsrc, feedback.reportTimestamp], [1, 0x1234abcd]);
  const writer = new CongestionFeedbackWriter();
  const bytes = written((view, at, limit) => {
    writer.begin(view, at, limit, 1);
    assert.ok(writer.stream(0xaa, 0xfffe));
    assert.ok(writer.received(NOT_ECT, 511) && writer.received(CE, 1024) && writer.lost());
    assert.ok(writer.stream(0xbb, 5));
    assert.ok(writer.stream(0xcc, 100));
    assert.ok(writer.received(NOT_ECT, OFFSET_OVER_RANGE) && writer.received(ECT_1, OFFSET_UNAVAILABLE));
    return writer.finish(0x1234abcd);
  });
  assert.equal(hexOf(bytes), GOLDEN);
});

test("a packet that came at the report timestamp itself, without ECN, is received", () => {
  assert.deepEqual(read("8bcd0005 00000001 000000aa 00000001 80000000 00000002"), ["170:0@0/0"]);
});

test("a packet may be filled to its last byte", () => {
  const writer = new CongestionFeedbackWriter();
  const bytes = written((view, at, limit) => {
    writer.begin(view, at, limit, 1);
    assert.ok(writer.stream(2, 0));
    assert.ok(writer.lost() && writer.lost());
    assert.ok(!writer.lost());
    assert.ok(!writer.stream(3, 0));
    return writer.finish(2);
  }, 24);
  assert.equal(bytes.length, 24);
  assert.equal(writer.full, 2);
});

test("a report on no stream is one", () => {
  assert.deepEqual(read("8bcd0002 00000001 00000002"), []);
  const writer = new CongestionFeedbackWriter();
  const bytes = written((view, at, limit) => {
    writer.begin(view, at, limit, 1);
    return writer.finish(2);
  });
  assert.equal(hexOf(bytes), "8bcd00020000000100000002");
});

test("offsets in 1/1024 s, with their ends", () => {
  assert.equal(arrivalOffsetOf(2000, 1000), 1024);
  assert.equal(arrivalOffsetOf(2000, 2000), 0);
  assert.equal(arrivalOffsetOf(2000, 2001), OFFSET_UNAVAILABLE);
  assert.equal(arrivalOffsetOf(8189 / 1.024, 0), 8189);
  assert.equal(arrivalOffsetOf(9000, 0), OFFSET_OVER_RANGE);
});

test("damage is refused: lengths that do not add up, too many reports", () => {
  for (const damaged of [
    "8bcd0001 00000001",
    "8bcd0003 00000001 000000aa 00000002",
    "8bcd0004 00000001 000000aa 00000001 00000002",
    "8bcd0005 00000001 000000aa 00000005 81ff0000 00000002",
    "8bcd0006 00000001 000000aa 00000001 81ff0000 00000000 00000002",
    "8bcd0004 00000001 000000aa 00004001 00000002",
  ])
    assert.equal(read(damaged), undefined, damaged);
});

test("random reports come back; full packets are finished and refusals counted", () => {
  const prng = new Prng(12);
  const writer = new CongestionFeedbackWriter();
  for (let round = 0; round < 300; round++) {
    const expected: string[] = [];
    const limitBytes = 12 + prng.below(800);
    const full = writer.full;
    const bytes = written((view, at, limit) => {
      writer.begin(view, at, limit, 9);
      for (let streams = prng.below(6); streams > 0; streams--) {
        const ssrc = prng.u32();
        let sequence = prng.below(65_536);
        if (!writer.stream(ssrc, sequence)) break;
        for (let reports = prng.below(80); reports > 0; reports--, sequence = (sequence + 1) & 0xffff) {
          const ecn = prng.below(4) as Ecn;
          const offset = prng.below(8192);
          const received = prng.chance(0.9);
          if (!(received ? writer.received(ecn, offset) : writer.lost())) break;
          expected.push(`${ssrc}:${sequence}${received ? `@${offset}/${ecn}` : ""}`);
        }
      }
      return writer.finish(prng.u32());
    }, limitBytes);
    assert.deepEqual(read(bytes), expected);
    if (writer.full > full) assert.ok(limitBytes - bytes.length < 16, "it was full");
  }
  assert.ok(writer.full > 50);
});
