/** Sender and receiver reports and the blocks in them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { ReceiverReport } from "./receiver-report.ts";
import { ReportBlock } from "./report-block.ts";
import { SenderReport } from "./sender-report.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

const BLOCK = "bc5e9a40 55fffffe 0000ffff 00000111 b7052000 00054000";

function randomBlock(prng: Prng): ReportBlock {
  return Object.assign(new ReportBlock(), {
    ssrc: prng.u32(),
    fractionLost: prng.below(256),
    cumulativeLost: prng.below(2 ** 24) - 2 ** 23,
    extendedHighestSequence: prng.u32(),
    jitter: prng.u32(),
    lastSenderReport: prng.u32(),
    delaySinceLastSenderReport: prng.u32(),
  });
}

test("a sender report with a block: golden bytes both ways", () => {
  const golden = `81c8000c 902f9e2e b44db705 20000000 00010000 00000010 00000c00 ${BLOCK}`;
  const rtcp = opened(golden);
  const report = new SenderReport();
  const block = new ReportBlock();
  assert.ok(report.read(rtcp));
  assert.deepEqual(
    { ...report },
    {
      ssrc: 0x902f9e2e,
      ntpSeconds: 0xb44db705,
      ntpFraction: 0x20000000,
      rtpTimestamp: 65_536,
      packetCount: 16,
      octetCount: 3072,
      blocks: 1,
    },
  );
  assert.equal(report.compact, 0xb7052000);
  report.block(rtcp, 0, block);
  assert.deepEqual(
    { ...block },
    {
      ssrc: 0xbc5e9a40,
      fractionLost: 85,
      cumulativeLost: -2,
      extendedHighestSequence: 65_535,
      jitter: 273,
      lastSenderReport: 0xb7052000,
      delaySinceLastSenderReport: 0x00054000,
    },
  );
  assert.equal(hexOf(written((view, at, limit) => report.write(view, at, limit, [block], 1))), golden.replaceAll(" ", ""));
});

test("a receiver report: golden bytes both ways, empty, and with profile extensions behind", () => {
  const report = new ReceiverReport();
  const block = new ReportBlock();
  const rtcp = opened(`81c90008 902f9e2e ${BLOCK} 01020304`);
  assert.ok(report.read(rtcp));
  assert.equal(report.ssrc, 0x902f9e2e);
  report.block(rtcp, 0, block);
  assert.equal(block.cumulativeLost, -2);
  assert.equal(
    hexOf(written((view, at, limit) => report.write(view, at, limit, [block], 1))),
    `81c90007 902f9e2e ${BLOCK}`.replaceAll(" ", ""),
  );
  assert.ok(report.read(opened("80c90001 00000007")));
  assert.deepEqual([report.ssrc, report.blocks], [7, 0]);
});

test("reports shorter than their count says are refused and counted", () => {
  const sender = opened(`82c8000c 902f9e2e b44db705 20000000 00010000 00000010 00000c00 ${BLOCK}`);
  assert.ok(!new SenderReport().read(sender));
  assert.equal(sender.stats.damagedBodies, 1);
  assert.ok(!new SenderReport().read(opened("80c80005 902f9e2e b44db705 20000000 00010000 00000010")));
  assert.ok(!new ReceiverReport().read(opened("81c90006 902f9e2e bc5e9a40 55fffffe 0000ffff 00000111 b7052000")));
  assert.ok(!new ReceiverReport().read(opened("80c90000")));
});

test("up to 31 random blocks come back; what does not fit is not written", () => {
  const prng = new Prng(3);
  for (let round = 0; round < 100; round++) {
    const blocks = Array.from({ length: prng.below(32) }, () => randomBlock(prng));
    const report = prng.chance(0.5) ? new SenderReport() : new ReceiverReport();
    report.ssrc = prng.u32();
    const bytes = written((view, at, limit) => report.write(view, at, limit, blocks, blocks.length));
    const rtcp = opened(bytes);
    assert.ok(report.read(rtcp));
    assert.equal(report.blocks, blocks.length);
    const block = new ReportBlock();
    for (let i = 0; i < blocks.length; i++) {
      report.block(rtcp, i, block);
      assert.deepEqual(block, blocks[i]);
    }
    assert.equal(written((view, at, limit) => report.write(view, at, limit, blocks, blocks.length), bytes.length).length, bytes.length);
    assert.equal(written((view, at, limit) => report.write(view, at, limit, blocks, blocks.length), bytes.length - 1).length, 0);
  }
});

test("round trip time: the example of RFC 3550, across the wrap of compact NTP, none heard, a peer that overstates its delay", () => {
  const block = new ReportBlock();
  assert.equal(block.roundTrip(12345), -1);
  block.lastSenderReport = 0xb7052000;
  block.delaySinceLastSenderReport = 0x00054000;
  assert.equal(block.roundTrip(0xb7108000), 6125);
  block.lastSenderReport = 0xffff8000;
  block.delaySinceLastSenderReport = 0x4000;
  assert.equal(block.roundTrip(0x0000c000), 1000);
  block.delaySinceLastSenderReport = 0x20000;
  assert.equal(block.roundTrip(0x0000c000), 0);
});
