import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { inOwnProcess } from "../../test/own-process.ts";
import { CcfbGenerator, CcfbReport } from "./ccfb-generator.ts";
import { FeedbackAdapter } from "./feedback-adapter.ts";
import { ArrivalReport, FeedbackGenerator } from "./feedback-generator.ts";
import { NetworkController } from "./network-controller.ts";
import { NOT_A_PROBE, type SentPacket } from "./packet-result.ts";
import { RembEstimator } from "./remb-estimator.ts";
import { absSendTime } from "./testing/remb-session.ts";

/**
 * An object with two times in it costs 56 bytes and more, a closure 64, a view 100. Below stay boxes of 16 for times that cross calls: how many
 * depends on what the compiler has inlined this time.
 */
const BYTES_PER_PACKET_MAX = 54;
const PACKETS = 5000;
const WARM_UP = 20;
const ROUNDS = 25;

/** Bytes allocated a packet in the best of several rounds: the compiler and the collector only ever add. */
function perPacket(run: (packets: number) => void): number {
  for (let round = 0; round < WARM_UP; round++) run(PACKETS);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = allocated();
    run(PACKETS);
    least = Math.min(least, (allocated() - before) / PACKETS);
  }
  return least;
}

function allocated(): number {
  return getHeapStatistics().total_allocated_bytes;
}
inOwnProcess(import.meta.url, () => {
  test("sending, arriving, reporting and estimating allocate next to nothing a packet", () => {
    const receiver = new FeedbackGenerator();
    const report = new ArrivalReport();
    const adapter = new FeedbackAdapter();
    const controller = new NetworkController({ packetFeedbackOnly: true });
    const sent: SentPacket = { sequence: 0, sendTime: 0, size: 1200, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
    let now = 0;
    let reported = 0;
    const bytes = perPacket((packets) => {
      for (let i = 0; i < packets; i++) {
        now += 1000;
        sent.sequence++;
        sent.sendTime = now;
        adapter.history.add(sent);
        controller.onSentPacket(sent, adapter.history.inFlight);
        controller.advance(now);
        while (controller.nextProbe() !== undefined);
        if (i % 50 !== 49) receiver.receive(sent.sequence, now + 30_000 + (i % 7) * 100);
        receiver.advance(now);
        while (receiver.report(report)) {
          adapter.begin(now);
          for (let k = 0; k < report.length; k++) adapter.add(report.sequence[k]!, report.arrival[k]!);
          reported += report.length;
          if (adapter.end()) controller.onFeedback(adapter.feedback);
        }
      }
    });
    assert.ok(reported > PACKETS * 40);
    assert.ok(controller.targetRate > 1_000_000, `${controller.targetRate}`);
    assert.ok(bytes < BYTES_PER_PACKET_MAX, `${bytes.toFixed(1)} bytes a packet`);
  });

  test("so does the estimator for REMB", () => {
    const estimator = new RembEstimator();
    let now = 0;
    const bytes = perPacket((packets) => {
      for (let i = 0; i < packets; i++) {
        now += 1000;
        estimator.receive(now, absSendTime(now - 30_000), 1200, i & 1);
      }
    });
    assert.ok(estimator.rate > 0);
    assert.ok(bytes < BYTES_PER_PACKET_MAX, `${bytes.toFixed(1)} bytes a packet`);
  });

  test("so do the reports of CCFB", () => {
    const generator = new CcfbGenerator();
    const report = new CcfbReport();
    let now = 0;
    let sequence = 0;
    let told = 0;
    const bytes = perPacket((packets) => {
      for (let i = 0; i < packets; i++) {
        now += 1000;
        sequence = (sequence + 1) & 0x1ffff;
        generator.receive(i & 1, sequence >> 1, now, i % 10 === 0, 1);
        generator.advance(now);
        while (generator.report(report)) told += report.length;
      }
    });
    assert.ok(told > PACKETS * 40);
    assert.ok(bytes < BYTES_PER_PACKET_MAX, `${bytes.toFixed(1)} bytes a packet`);
  });
});
