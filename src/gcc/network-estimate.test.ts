/** Expectations of libwebrtc's aimd_rate_control, probe_controller and goog_cc_network_control tests that set a network state estimate. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Aimd } from "./aimd.ts";
import { NetworkController } from "./network-controller.ts";
import { TransportFeedback } from "./packet-result.ts";
import { ProbeController, type ProbeControllerOptions } from "./probe-controller.ts";

const K = 1000;
const SECOND = 1_000_000;
const UNKNOWN = Number.POSITIVE_INFINITY;

function bounded(start: number, lower: number, upper: number): Aimd {
  const aimd = new Aimd();
  if (start > 0) aimd.setEstimate(start, 0);
  aimd.setLinkBounds(lower, upper);
  return aimd;
}

test("no rise above the upper bound, which never lowers the rate by itself", () => {
  const below = bounded(300 * K, 0, 400 * K);
  below.setEstimate(500 * K, 0);
  assert.equal(below.rate, 400 * K);
  const above = bounded(500 * K, 0, 300 * K);
  above.setEstimate(700 * K, 0);
  assert.equal(above.rate, 500 * K);
});

test("no fall below 0.85 of the lower bound, unless the rate is there already", () => {
  const first = bounded(0, 400 * K, UNKNOWN);
  first.setEstimate(100 * K, 0);
  assert.equal(first.rate, 340 * K);
  const low = bounded(200 * K, 400 * K, UNKNOWN);
  low.setEstimate(100 * K, 0);
  assert.equal(low.rate, 200 * K);
});

test("an overuse and an increase are bounded alike", () => {
  const overused = bounded(500 * K, 400 * K, UNKNOWN);
  overused.update("overusing", 100 * K, 0);
  assert.equal(overused.rate, 340 * K);
  const rising = bounded(395 * K, 0, 400 * K);
  for (let i = 0; i < 20; i++) rising.update("normal", 400 * K, i * SECOND);
  assert.equal(rising.rate, 400 * K);
});

function started(networkEstimate: ProbeControllerOptions["networkEstimate"], estimate: number): ProbeController {
  const controller = new ProbeController({ networkEstimate: networkEstimate ?? {} });
  controller.setBitrates(0, 100, 300, 10_000);
  controller.setEstimate(0, estimate, "delay");
  while (controller.next() !== undefined);
  controller.process(1.1 * SECOND);
  return controller;
}

function upper(bound: number): { updatedAt: number; lower: number; upper: number } {
  return { updatedAt: 0, lower: 0, upper: bound };
}

test("below the upper bound it is probed for every interval, and never beyond", () => {
  const controller = started({ interval: 5 * SECOND, duration: 100_000 }, 5000);
  controller.setNetworkEstimate(upper(6000));
  for (const at of [5, 10]) {
    controller.process(at * SECOND);
    const probe = controller.next();
    assert.equal(probe?.targetRate, 6000);
    assert.equal(probe?.targetDuration, 100_000);
    assert.equal(probe?.minProbeDelta, 20_000);
    assert.equal(controller.next(), undefined);
  }
  controller.setNetworkEstimate(upper(0));
  controller.setAlrProbing(true);
  controller.setAlrStart(10 * SECOND);
  controller.process(15 * SECOND);
  assert.equal(controller.next(), undefined, "a link that carries nothing is not probed");
});

test("without an interval the bound changes no probing", () => {
  const controller = started({}, 3000);
  controller.setNetworkEstimate(upper(6000));
  controller.process(60 * SECOND);
  assert.equal(controller.next(), undefined);
  controller.setAlrProbing(true);
  controller.setAlrStart(60 * SECOND);
  controller.process(65 * SECOND);
  assert.equal(controller.next()?.targetRate, 6000);
});

test("probing in the application-limited region stays below the bound, and so does what recovers from loss", () => {
  const controller = started({ interval: 5 * SECOND }, 6000);
  controller.setAlrProbing(true);
  controller.setAlrStart(0);
  controller.process(5 * SECOND);
  assert.equal(controller.next()?.targetRate, 10_000, "the bound is not known yet");
  controller.setNetworkEstimate(upper(8000));
  controller.process(10 * SECOND);
  assert.equal(controller.next()?.targetRate, 8000);
  const lossy = started({ interval: 5 * SECOND }, 500);
  lossy.setEstimate(2 * SECOND, 500, "loss-increasing");
  lossy.setNetworkEstimate(upper(700));
  lossy.process(7 * SECOND);
  assert.equal(lossy.next()?.targetRate, 700);
});

test("far below the bound it is probed more often", () => {
  const controller = started({ lowInterval: SECOND, lowRatio: 0.5 }, 300);
  controller.setNetworkEstimate(upper(300));
  controller.process(1.1 * SECOND);
  assert.equal(controller.next(), undefined);
  controller.setNetworkEstimate(upper(900));
  controller.process(1.1 * SECOND);
  assert.ok(controller.next()!.targetRate > 300);
  controller.process(2.2 * SECOND);
  assert.ok(controller.next()!.targetRate > 300, "without a result it is tried again");
  controller.setEstimate(2.3 * SECOND, 600, "delay");
  while (controller.next() !== undefined);
  controller.process(3.5 * SECOND);
  assert.equal(controller.next(), undefined, "600 of 900 is not far");
});

test("a good result is followed further only as far as the bound lets hope", () => {
  const controller = started({ interval: 5 * SECOND }, 300);
  controller.setNetworkEstimate(upper(1500));
  controller.process(6 * SECOND);
  assert.equal(controller.next()?.targetRate, 600);
  controller.setEstimate(6.1 * SECOND, 600, "delay");
  assert.equal(controller.next()?.targetRate, 1200);
  controller.setEstimate(6.2 * SECOND, 1100, "delay");
  assert.equal(controller.next(), undefined, "1100 is above 0.7 of the bound");
});

test("pacing stays below the upper bound if asked to", () => {
  for (const [paceBelowNetworkEstimate, expected] of [
    [true, 75 * K],
    [false, 150 * K],
  ] as const) {
    const controller = new NetworkController({ startBitrate: 60 * K, paceBelowNetworkEstimate });
    controller.advance(123_000);
    assert.equal(controller.pacingRate, 150 * K);
    controller.onNetworkEstimate(upper(75 * K));
    controller.onReceiverReport(223_000, 1, 51);
    controller.onRemb(70 * K);
    controller.advance(223_000);
    assert.ok(controller.targetRate >= 60 * K);
    assert.ok(controller.pacingRate <= Math.max(expected, controller.targetRate * 2.5), `${controller.pacingRate}`);
    if (paceBelowNetworkEstimate) assert.equal(controller.pacingRate, 75 * K);
  }
});

test("a probe that shows less than both the estimate and what is known of the link is not believed", () => {
  const targets = [0, 950 * K].map((lower) => {
    const controller = new NetworkController({ startBitrate: 1000 * K, packetFeedbackOnly: true });
    controller.advance(SECOND);
    controller.onNetworkEstimate({ updatedAt: 0, lower, upper: UNKNOWN });
    const probe = controller.nextProbe()!;
    const feedback = new TransportFeedback(16);
    feedback.clear(1.3 * SECOND);
    // Sent at its rate, arrived at 400 kbit/s.
    for (let i = 0; i < 8; i++) {
      const sendTime = SECOND + (i * 1200 * 8e6) / probe.targetRate;
      const sent = { sequence: i, sendTime, size: 1200, probeCluster: probe.id, audio: false, retransmission: false };
      controller.onSentPacket(sent, 1200 * (i + 1));
      feedback.push(sent, SECOND + i * 24_000);
    }
    feedback.sort();
    controller.onFeedback(feedback);
    return controller.targetRate;
  });
  assert.ok(targets[0]! < 500 * K, `${targets}`);
  assert.ok(targets[1]! >= 1000 * K, `${targets}`);
});
