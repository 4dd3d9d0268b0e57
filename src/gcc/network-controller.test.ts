import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { inOwnProcess } from "../../test/own-process.ts";
import { NetworkController, type NetworkControllerOptions } from "./network-controller.ts";
import { LOST, NOT_A_PROBE, type SentPacket, TransportFeedback } from "./packet-result.ts";

const K = 1000;
const MS = 1000;
const INITIAL = 60 * K;

function probes(controller: NetworkController): number[] {
  const rates: number[] = [];
  for (let probe = controller.nextProbe(); probe !== undefined; probe = controller.nextProbe()) rates.push(probe.targetRate / K);
  return rates;
}

/** Sends packets and reports each of them at once, with a delay that may grow. */
class Transport {
  readonly controller: NetworkController;
  readonly feedback = new TransportFeedback(64);
  readonly sent: SentPacket = { sequence: 0, sendTime: 0, size: 1000, probeCluster: NOT_A_PROBE, audio: false, retransmission: false };
  now = 123 * MS;
  delay = 50 * MS;

  constructor(options: NetworkControllerOptions) {
    this.controller = new NetworkController(options);
    this.controller.advance(this.now);
  }

  /** Packets `gap` apart, a report for every `each` of them; of every hundred `lost` do not arrive. */
  run(packets: number, gap: number, growth = 0, each = 1, lost = 0): void {
    const { controller, feedback, sent } = this;
    feedback.clear(this.now);
    for (let i = 0; i < packets; i++) {
      sent.sendTime = this.now;
      controller.onSentPacket(sent, sent.size);
      feedback.push(sent, (sent.sequence * 37) % 100 >= 100 - lost ? LOST : this.now + this.delay);
      sent.sequence++;
      if (feedback.length === each) {
        feedback.feedbackTime = this.now + 2 * this.delay;
        feedback.sort();
        controller.onFeedback(feedback);
        feedback.clear(this.now);
      }
      this.now += gap;
      this.delay += growth;
      controller.advance(this.now);
    }
  }
}

// Source of the expectations: libwebrtc goog_cc_network_control_unittest.
inOwnProcess(import.meta.url, () => {
  test("the first interval publishes start, pacing at 2.5 × and probes at 3 × and 5 × = the maximum", () => {
    const controller = new NetworkController({ startBitrate: INITIAL, minBitrate: 0, maxBitrate: 5 * INITIAL });
    controller.advance(123_456 * MS);
    assert.equal(controller.targetRate, INITIAL);
    assert.equal(controller.pacingRate, INITIAL * 2.5);
    assert.deepEqual(probes(controller), [180, 300]);
    assert.equal(controller.deadline(), 123_456 * MS + 25 * MS);
  });

  test("the target follows REMB up at the start, and down always", () => {
    const controller = new NetworkController({ startBitrate: INITIAL, maxBitrate: 5 * INITIAL });
    controller.advance(123 * MS);
    controller.onRemb(2 * INITIAL);
    controller.advance(148 * MS);
    assert.equal(controller.targetRate, 2 * INITIAL);
    assert.equal(controller.pacingRate, 5 * INITIAL);
    controller.onRemb(INITIAL);
    controller.advance(173 * MS);
    assert.equal(controller.targetRate, INITIAL);
    controller.onRemb(0);
    controller.advance(198 * MS);
    assert.equal(controller.targetRate, 2 * INITIAL);
  });

  test("another route begins anew: at its start with probes, or at the minimum of 5 kbit/s", () => {
    const controller = new NetworkController({ startBitrate: INITIAL, maxBitrate: 5 * INITIAL });
    controller.onRouteChange(123 * MS, 200 * K);
    assert.equal(controller.targetRate, 200 * K);
    assert.equal(controller.pacingRate, 500 * K);
    assert.equal(probes(controller).length, 2);
    controller.onRouteChange(124 * MS, 2 * INITIAL, 0, 20 * INITIAL);
    assert.deepEqual(probes(controller), [360, 720]);
    const fresh = new NetworkController({ startBitrate: INITIAL });
    fresh.onRouteChange(123 * MS);
    assert.equal(fresh.targetRate, 5 * K);
    assert.equal(probes(fresh).length, 2);
  });

  test("delay that builds up lowers the estimate", () => {
    const transport = new Transport({ startBitrate: INITIAL, maxBitrate: 5 * INITIAL });
    transport.run(120, 50 * MS);
    const before = transport.controller.targetRate;
    assert.ok(before > 0);
    transport.run(120, 50 * MS, 50 * MS);
    assert.ok(transport.controller.targetRate < before, `${before} → ${transport.controller.targetRate}`);
    assert.equal(transport.controller.limitedBy === "delay-increased" || transport.controller.limitedBy === "rtt", true);
  });

  test("the pacing factor falls from 2.5 to 1.1 with the first feedback; minima raise the pacing, padding is capped by the target", () => {
    const transport = new Transport({ startBitrate: INITIAL, maxBitrate: 5 * INITIAL });
    const { controller } = transport;
    assert.equal(controller.pacingRate, 2.5 * INITIAL);
    transport.run(1, 10 * MS);
    assert.equal(controller.pacingRate, controller.targetRate * 1.1);
    controller.setStreams(transport.now, { minAllocated: 400 * K, maxPadding: 1000 * K, maxAllocated: 500 * K, pacingFactor: 1 });
    assert.equal(controller.pacingRate, 400 * K);
    assert.equal(controller.paddingRate, controller.targetRate);
  });

  test("receiver reports move the target where there is no transport feedback", () => {
    const controller = new NetworkController({ startBitrate: 300 * K });
    let now = 0;
    for (; now < 5e6; now += 25 * MS) {
      controller.advance(now);
      if (now % 1e6 === 0) controller.onReceiverReport(now, 0, 50);
    }
    assert.ok(controller.targetRate > 380 * K && controller.targetRate < 460 * K, `${controller.targetRate}`);
    controller.onReceiverReport(now, 25, 50);
    controller.advance(now + 400 * MS);
    assert.equal(Math.round(controller.state(now).lossRatio * 100), 50);
    assert.ok(controller.targetRate < 350 * K, `${controller.targetRate}`);
  });

  test("with packet feedback only, loss and round trip come from it, and receiver reports are not heard", () => {
    const transport = new Transport({ startBitrate: 300 * K, packetFeedbackOnly: true });
    transport.run(600, 10 * MS, 0, 10, 25);
    const { lossRatio, roundTripTime } = transport.controller.state(transport.now);
    assert.ok(Math.abs(lossRatio - 0.25) < 0.05, `${lossRatio}`);
    // The newest of ten packets waits for nothing.
    assert.equal(roundTripTime, 100 * MS);
    transport.controller.onReceiverReport(transport.now, 50, 100);
    assert.ok(Math.abs(transport.controller.state(transport.now).lossRatio - 0.25) < 0.05);
  });

  test("a network that is down is not probed", () => {
    const controller = new NetworkController({ startBitrate: 300 * K });
    controller.onNetworkAvailability(0, false);
    controller.advance(0);
    assert.deepEqual(probes(controller), []);
    controller.onNetworkAvailability(1, true);
    assert.deepEqual(probes(controller), [900, 1800]);
  });

  test("hostile feedback: times of the future, of the past, all at once", () => {
    const transport = new Transport({ startBitrate: 300 * K, packetFeedbackOnly: true, congestionWindow: {} });
    transport.run(100, 10 * MS, 0, 10);
    const { controller, feedback, sent } = transport;
    for (const receiveTime of [0, -1e15, 1e15, LOST, transport.now]) {
      feedback.clear(transport.now);
      for (let i = 0; i < 64; i++) {
        sent.sendTime = transport.now + (i % 2) * 1e9;
        feedback.push(sent, receiveTime);
        sent.sequence++;
      }
      feedback.sort();
      controller.onFeedback(feedback);
      controller.advance(transport.now);
      assert.ok(Number.isFinite(controller.targetRate) && controller.targetRate >= 5 * K, `${receiveTime}: ${controller.targetRate}`);
      assert.ok(Number.isFinite(controller.pacingRate) && Number.isFinite(controller.congestionWindow));
    }
    feedback.clear(transport.now);
    controller.onFeedback(feedback);
  });

  test("a steady flow allocates next to nothing per packet", () => {
    const transport = new Transport({ startBitrate: 1000 * K, packetFeedbackOnly: true });
    transport.run(20_000, 1 * MS, 0, 50);
    let least = Number.POSITIVE_INFINITY;
    // The compiler has its own time: rounds go on until it is through, or for good.
    for (let round = 0; round < 40 && least >= 100; round++) {
      const before = getHeapStatistics().total_allocated_bytes;
      transport.run(4000, 1 * MS, 0, 50);
      least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / 4000);
    }
    // What is there are boxed numbers of calls that were not inlined; a view, a closure or an array for each packet would be 100 bytes and more.
    assert.ok(least < 100, `${least.toFixed(1)} bytes a packet`);
  });

  test("what the streams are given in any case bounds the target from below, whatever is configured", () => {
    const controller = new NetworkController({ startBitrate: INITIAL, minBitrate: 10 * K });
    controller.advance(123 * MS);
    controller.setStreams(123 * MS, { minAllocated: 150 * K, maxPadding: 0, maxAllocated: 2000 * K });
    controller.advance(148 * MS);
    assert.equal(controller.targetRate, 150 * K);
    controller.onRemb(20 * K);
    controller.advance(173 * MS);
    assert.equal(controller.targetRate, 150 * K);
    controller.setStreams(173 * MS, { minAllocated: 0, maxPadding: 0, maxAllocated: 2000 * K });
    controller.advance(198 * MS);
    assert.equal(controller.targetRate, 20 * K);
  });
});
