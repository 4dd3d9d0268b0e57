import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { ReceptionStatistics } from "./reception-statistics.ts";
import { ReportBlock } from "./report-block.ts";

const believed = (): ReceptionStatistics => new ReceptionStatistics({ clockRate: 90_000, minSequential: 0 });

/** Feeds sequence numbers 10 ms and 900 ticks apart. */
function feed(statistics: ReceptionStatistics, sequences: Iterable<number>): boolean[] {
  return Array.from(sequences, (sequence) => statistics.receive(sequence * 10, sequence & 0xffff, sequence * 900));
}

function* range(from: number, to: number, without: readonly number[] = []): Generator<number> {
  for (let sequence = from; sequence < to; sequence++) if (!without.includes(sequence)) yield sequence;
}

test("a source is believed from its second packet in sequence on; nothing is reported before", () => {
  const statistics = new ReceptionStatistics({ clockRate: 90_000 });
  const block = new ReportBlock();
  assert.deepEqual(feed(statistics, [100]), [false]);
  assert.ok(!statistics.report(0, block));
  assert.deepEqual(feed(statistics, [200, 300, 301, 302]), [false, false, true, true]);
  assert.equal(statistics.stats.onProbation, 3);
  assert.ok(statistics.report(0, block));
  assert.deepEqual([block.extendedHighestSequence, block.cumulativeLost], [302, 0]);
});

test("loss of the interval and since the beginning, across a wrap", () => {
  const statistics = believed();
  const block = new ReportBlock();
  feed(statistics, range(65_500, 65_600, [65_510, 65_511, 65_512, 65_536, 65_537, 65_538, 65_539, 65_540, 65_541, 65_542]));
  assert.ok(statistics.report(0, block));
  assert.equal(block.extendedHighestSequence, 65_599);
  assert.equal(block.cumulativeLost, 10);
  assert.equal(block.fractionLost, 25, "10 of 100 is 25.6/256, cut off");
  feed(statistics, range(65_600, 65_700));
  assert.ok(statistics.report(0, block));
  assert.deepEqual([block.cumulativeLost, block.fractionLost], [10, 0]);
});

test("late packets and duplicates count as received: the loss can be negative", () => {
  const statistics = believed();
  const block = new ReportBlock();
  feed(statistics, [...range(0, 50, [20]), 20, 30, 30, 30]);
  assert.ok(statistics.report(0, block));
  assert.deepEqual([block.cumulativeLost, block.fractionLost, block.extendedHighestSequence], [-3, 0, 49]);
});

test("a jump is not followed until a second packet confirms it; then all begins anew", () => {
  const statistics = believed();
  const block = new ReportBlock();
  feed(statistics, range(0, 10));
  assert.deepEqual(feed(statistics, [30_000, 10, 40_000, 11]), [false, true, false, true]);
  assert.equal(statistics.stats.jumps, 2);
  assert.deepEqual(feed(statistics, [50_000, 50_001, 50_002]), [false, true, true]);
  assert.equal(statistics.stats.restarts, 1);
  assert.ok(statistics.report(0, block));
  assert.deepEqual([block.extendedHighestSequence, block.cumulativeLost], [50_002, 0]);
});

test("99 behind is late, 100 behind is a jump; 2999 ahead is loss, 3000 a jump", () => {
  const statistics = believed();
  feed(statistics, range(0, 1000));
  assert.deepEqual(feed(statistics, [900, 899]), [true, false]);
  assert.deepEqual(feed(statistics, [999 + 3000, 999 + 2999]), [false, true]);
  assert.equal(statistics.stats.jumps, 2);
});

test("no more than 255/256 and no more than 24 bits are told, however much is lost", () => {
  const statistics = believed();
  const block = new ReportBlock();
  for (let sequence = 0; sequence < 2999 * 4000; sequence += 2999) feed(statistics, [sequence]);
  assert.ok(statistics.report(0, block));
  assert.equal(block.fractionLost, 255);
  assert.equal(block.cumulativeLost, 0x7fffff);
  for (let sequence = 2999 * 4000; sequence < 2 ** 31 + 65_536; sequence += 2999) statistics.receive(0, sequence & 0xffff, 0);
  assert.ok(statistics.report(0, block));
  assert.ok(block.extendedHighestSequence >= 2 ** 31, "32 bits without a sign");
});

test("jitter: none on an even stream, the RFC's recursion on an uneven one, whatever the clocks' offset and wrap", () => {
  const statistics = believed();
  feed(statistics, range(0, 100));
  assert.equal(statistics.jitter, 0);
  const prng = new Prng(13);
  let jitter = 0;
  let last = 0;
  for (let i = 100; i < 400; i++) {
    const late = prng.below(40);
    statistics.receive(i * 10 + late, i, i * 900);
    // The same in floating point, in ticks of the RTP clock: J += (|D| − J) / 16.
    jitter += (Math.abs(late - last) * 90 - jitter) / 16;
    last = late;
    assert.ok(Math.abs(statistics.jitter - jitter) < 2, `${statistics.jitter} is not ${jitter}`);
  }
  assert.ok(jitter > 500);
  const wrapped = believed();
  for (let i = 0; i < 100; i++) wrapped.receive(1e12 + i * 10, i, (0xffffffff - 45_000 + i * 900) >>> 0);
  assert.equal(wrapped.jitter, 0);
});

test("timestamps at random keep the jitter within its 32 bits", () => {
  const statistics = believed();
  const prng = new Prng(14);
  const block = new ReportBlock();
  for (let i = 0; i < 5000; i++) statistics.receive(i, i & 0xffff, prng.u32());
  assert.ok(statistics.report(0, block));
  assert.ok(block.jitter > 2 ** 29 && block.jitter <= 2 ** 31);
});

test("the last sender report and the time since are told", () => {
  const statistics = believed();
  const block = new ReportBlock();
  feed(statistics, [1]);
  assert.ok(statistics.report(500, block));
  assert.deepEqual([block.lastSenderReport, block.delaySinceLastSenderReport], [0, 0]);
  statistics.senderReport(1000, 0xb7052000);
  assert.ok(statistics.report(6250, block));
  assert.deepEqual([block.lastSenderReport, block.delaySinceLastSenderReport], [0xb7052000, 0x00054000]);
});
