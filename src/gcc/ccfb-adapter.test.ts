/** Expectations of libwebrtc's TransportFeedbackAdapter tests with RFC 8888 feedback. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CcfbAdapter } from "./ccfb-adapter.ts";
import { FeedbackAdapter } from "./feedback-adapter.ts";
import { LOST, NOT_A_PROBE } from "./packet-result.ts";

const NOW = 2_000_000;

function sender(): CcfbAdapter {
  return new CcfbAdapter(new FeedbackAdapter());
}

function send(ccfb: CcfbAdapter, ssrc: number, rtp: number, sequence: number, sendTime: number): void {
  ccfb.adapter.history.add({ sequence, sendTime, size: 100, probeCluster: NOT_A_PROBE, audio: false, retransmission: false });
  ccfb.sent(ssrc, rtp, sequence);
}

const results = (ccfb: CcfbAdapter): (readonly [number, number])[] =>
  Array.from({ length: ccfb.adapter.feedback.length }, (_, i) => {
    const { sent, receiveTime } = ccfb.adapter.feedback.at(i);
    return [sent.sequence, receiveTime] as const;
  });

/** Compact NTP of a time in microseconds. */
const compact = (time: number): number => Math.round((time * 65_536) / 1e6) >>> 0;

test("packets of two streams come out in the order of sending, with the gaps between their arrivals", () => {
  const ccfb = sender();
  for (let i = 0; i < 3; i++) {
    send(ccfb, 7, 70 + i, 10 + 2 * i, 1_000_000 + 20_000 * i);
    send(ccfb, 8, 80 + i, 11 + 2 * i, 1_010_000 + 20_000 * i);
  }
  ccfb.begin(NOW, compact(5_000_000));
  for (let i = 0; i < 3; i++) ccfb.received(8, 80 + i, 30_000 - 13_000 * i);
  for (let i = 0; i < 3; i++) {
    if (i === 1) ccfb.lost(7, 71);
    else ccfb.received(7, 70 + i, 40_000 - 13_000 * i);
  }
  assert.equal(ccfb.end(), true);
  const told = results(ccfb);
  assert.deepEqual(
    told.map(([sequence]) => sequence),
    [10, 11, 12, 13, 14, 15],
  );
  const base = told[0]?.[1] ?? 0;
  assert.deepEqual(
    told.map(([, arrival]) => arrival - base),
    [0, 10_000, LOST, 23_000, 26_000, 36_000],
  );
});

test("a stream of which nothing arrived is lost, and that is told once", () => {
  const ccfb = sender();
  send(ccfb, 123, 101, 1, 1_200_000);
  send(ccfb, 456, 201, 2, 1_210_000);
  send(ccfb, 456, 202, 3, 1_220_000);
  send(ccfb, 123, 102, 4, 1_230_000);
  ccfb.begin(NOW, 0);
  ccfb.received(123, 101, 30_000);
  ccfb.received(123, 102, 0);
  ccfb.end();
  assert.deepEqual(
    results(ccfb).map(([sequence, arrival]) => [sequence, arrival === LOST]),
    [
      [1, false],
      [2, true],
      [3, true],
      [4, false],
    ],
  );
  ccfb.begin(NOW, 65_536);
  ccfb.received(123, 101, 30_000);
  assert.equal(ccfb.end(), false);
});

test("arrivals of two messages are on one clock, also where the timestamp wraps", () => {
  const ccfb = sender();
  for (let i = 0; i < 2; i++) send(ccfb, 1, i, i, 1000);
  ccfb.begin(NOW, 0xffffff00);
  ccfb.received(1, 0, 1000);
  ccfb.end();
  const [first] = results(ccfb);
  // 0x100 + 0x8000 units of 1/65536 s later.
  ccfb.begin(NOW + 500_000, 0x8000);
  ccfb.received(1, 1, 1000);
  ccfb.end();
  const [second] = results(ccfb);
  assert.equal((second?.[1] ?? 0) - (first?.[1] ?? 0), ((0x8000 + 0x100) * 1e6) / 65_536);
});

test("offsets cannot reach before the sending or the message before", () => {
  const ccfb = sender();
  for (let i = 0; i < 3; i++) send(ccfb, 1, i, i, NOW - 100_000);
  ccfb.begin(NOW, 0);
  ccfb.received(1, 0, Number.POSITIVE_INFINITY);
  ccfb.received(1, 1, 40_000);
  ccfb.end();
  const [[, late] = [0, 0], [, known] = [0, 0]] = results(ccfb);
  assert.equal(known - late, 60_000, "100 ms since it was sent, and 40");
  assert.equal(ccfb.stats.offsetsClipped, 1);
  ccfb.begin(NOW + 10_000, compact(50_000));
  ccfb.received(1, 2, 90_000);
  ccfb.end();
  const [[, third] = [0, 0]] = results(ccfb);
  assert.ok(third - known > 38_000 && third - known < 40_001, `${third - known}: not before the last message`);
});

test("a clock of the receiver that is set back is followed", () => {
  const ccfb = sender();
  for (let i = 0; i < 2; i++) send(ccfb, 1, i, i, 1000);
  ccfb.begin(NOW, compact(60_000_000));
  ccfb.received(1, 0, 0);
  ccfb.end();
  ccfb.begin(NOW + 50_000, compact(10_000_000));
  ccfb.received(1, 1, 0);
  assert.equal(ccfb.end(), true);
  assert.equal(results(ccfb)[0]?.[1], NOW + 50_000);
});

test("packets of a stream that wait for their report are bounded", () => {
  const ccfb = new CcfbAdapter(new FeedbackAdapter(), { streamPacketsMax: 4 });
  for (let i = 0; i < 6; i++) send(ccfb, 1, i, i, 0);
  assert.equal(ccfb.stats.overflowed, 2);
  ccfb.begin(NOW, 0);
  for (let i = 0; i < 6; i++) ccfb.received(1, i, 0);
  assert.equal(ccfb.end(), true);
  assert.deepEqual(
    results(ccfb).map(([sequence]) => sequence),
    [2, 3, 4, 5],
  );
  for (let i = 6; i < 10; i++) send(ccfb, 1, i, i, 0);
  assert.equal(ccfb.stats.overflowed, 2, "of those before something was reported");
});

test("what was not sent, and streams beyond the limit, are counted", () => {
  const ccfb = new CcfbAdapter(new FeedbackAdapter(), { streamsMax: 1 });
  send(ccfb, 1, 5, 0, 0);
  send(ccfb, 2, 5, 1, 0);
  assert.equal(ccfb.stats.streamsRefused, 1);
  ccfb.begin(NOW, 0);
  ccfb.received(2, 5, 0);
  ccfb.received(1, 6, 0);
  ccfb.lost(9, 9);
  assert.equal(ccfb.end(), false);
  assert.equal(ccfb.stats.unknown, 3);
  ccfb.removeStream(1);
  send(ccfb, 3, 1, 2, 0);
  assert.equal(ccfb.stats.streamsRefused, 1);
});
