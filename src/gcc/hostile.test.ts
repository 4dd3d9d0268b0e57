/** What a peer can put into packets and messages must neither throw nor grow memory, nor make a report that breaks its own rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { CcfbAdapter } from "./ccfb-adapter.ts";
import { CcfbGenerator, CcfbReport } from "./ccfb-generator.ts";
import { DelayBased } from "./delay-based.ts";
import { FeedbackAdapter } from "./feedback-adapter.ts";
import { ArrivalReport, FeedbackGenerator } from "./feedback-generator.ts";
import { LOST, NOT_A_PROBE } from "./packet-result.ts";
import { RembEstimator } from "./remb-estimator.ts";
import { RobustThroughput } from "./robust-throughput.ts";

const SEEDS = [1, 2, 3];

test("sequence numbers at random make only reports that can be written", () => {
  for (const seed of SEEDS) {
    const random = new Prng(seed);
    const generator = new FeedbackGenerator();
    const report = new ArrivalReport();
    let now = 0;
    let newest = 0;
    let previous = -1;
    for (let i = 0; i < 5000; i++) {
      now += random.below(random.chance(0.01) ? 20_000_000 : 3000);
      newest += random.chance(0.02) ? random.below(40_000) : 1;
      generator.receive(random.chance(0.05) ? newest - random.below(40_000) : newest, now);
      generator.advance(now);
      while (generator.report(report)) {
        const last = report.sequence[report.length - 1]!;
        assert.ok(report.length > 0 && report.length <= 500);
        assert.ok(last - report.baseSequence < 65_535, `seed ${seed}: ${report.baseSequence}…${last}`);
        for (let k = 0; k < report.length; k++) {
          const before = k === 0 ? report.baseSequence - 1 : report.sequence[k - 1]!;
          assert.ok(report.sequence[k]! > before, `seed ${seed}`);
          if (k > 0) {
            const ticks = Math.floor(report.arrival[k]! / 250) - Math.floor(report.arrival[k - 1]! / 250);
            assert.ok(ticks >= -32_768 && ticks <= 32_767, `seed ${seed}: delta ${ticks}`);
          }
        }
        previous = Math.max(previous, last);
      }
    }
    assert.ok(previous > 0);
  }
});

test("streams, numbers and marks at random make only CCFB messages that can be written, within their rate", () => {
  for (const seed of SEEDS) {
    const random = new Prng(seed);
    const generator = new CcfbGenerator({ streamsMax: 8 });
    const report = new CcfbReport(200);
    let now = 0;
    let bytes = 0;
    for (let i = 0; i < 5000; i++) {
      now += random.below(4000);
      generator.receive(random.below(12), random.below(random.chance(0.5) ? 100 : 65_536), now, random.chance(0.2), random.below(4));
      generator.advance(now);
      while (generator.report(report)) {
        bytes += 12 + 8 + report.length * 2;
        assert.ok(report.length > 0 && report.length <= 200);
        for (let k = 1; k < report.length; k++) {
          if (report.ssrc[k] !== report.ssrc[k - 1]) continue;
          assert.equal(report.sequence[k], (report.sequence[k - 1]! + 1) & 0xffff, `seed ${seed}`);
        }
        for (let k = 0; k < report.length; k++) assert.ok(!(report.arrivalOffset[k]! < 0), `seed ${seed}`);
      }
    }
    const rate = (bytes * 8e6) / now;
    assert.ok(rate < 600_000, `seed ${seed}: ${Math.round(rate)} bit/s`);
  }
});

test("feedback at random leaves a finite rate and no negative bytes in flight", () => {
  for (const seed of SEEDS) {
    const random = new Prng(seed);
    const adapter = new FeedbackAdapter({ packetsMax: 1024 });
    const ccfb = new CcfbAdapter(adapter, { streamsMax: 4 });
    const throughput = new RobustThroughput();
    const delay = new DelayBased();
    delay.setStartRate(300_000);
    let now = 0;
    let sequence = 65_000;
    for (let round = 0; round < 2000; round++) {
      now += random.below(60_000);
      for (let i = random.below(15); i > 0; i--) {
        sequence++;
        const size = random.below(1500);
        adapter.history.add({ sequence, sendTime: now, size, probeCluster: NOT_A_PROBE, audio: false, retransmission: false });
        ccfb.sent(random.below(6), sequence & 0xffff, sequence);
      }
      if (random.chance(0.5)) {
        adapter.begin(now);
        const base = random.chance(0.8) ? sequence - random.below(40) : random.below(65_536);
        const clock = random.chance(0.95) ? now : random.below(1e12) - 5e11;
        for (let i = 0; i < 30; i++) adapter.add(base + i, random.chance(0.8) ? clock + random.below(10_000) : LOST);
        if (!adapter.end()) continue;
      } else {
        ccfb.begin(now, random.u32());
        for (let i = 0; i < 30; i++) {
          const offset = random.chance(0.1) ? Number.POSITIVE_INFINITY : random.below(8_000_000);
          ccfb.received(random.below(6), (sequence - random.below(40)) & 0xffff, offset);
        }
        if (!ccfb.end()) continue;
      }
      throughput.receive(adapter.feedback);
      delay.receive(adapter.feedback, throughput.rate, random.chance(0.02) ? random.below(5e6) : undefined, random.chance(0.1));
      assert.ok(Number.isFinite(delay.rate) && delay.rate >= 5000, `seed ${seed}, round ${round}: ${delay.rate}`);
      assert.ok(Number.isFinite(throughput.rate ?? 0) && (throughput.rate ?? 0) >= 0, `seed ${seed}, round ${round}`);
      assert.ok(adapter.history.inFlight >= 0);
      assert.ok(adapter.feedback.sequence.length <= 1024);
    }
  }
});

test("send times and sizes at random leave a finite REMB", () => {
  for (const seed of SEEDS) {
    const random = new Prng(seed);
    const estimator = new RembEstimator({ streamsMax: 4 });
    let now = 0;
    let sent = 0;
    for (let i = 0; i < 5000; i++) {
      now += random.below(random.chance(0.01) ? 3_000_000 : 5000);
      const rate = estimator.receive(now, random.u32() >>> 8, random.below(1500), random.below(8));
      assert.ok(Number.isFinite(rate) && rate >= 0, `seed ${seed}, packet ${i}: ${rate}`);
      if (rate > 0) sent++;
      assert.ok(estimator.streams <= 4);
    }
    assert.ok(sent > 0);
  }
});
