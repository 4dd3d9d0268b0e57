import assert from "node:assert/strict";
import { test } from "node:test";
import { ProbeController, type ProbeControllerOptions } from "./probe-controller.ts";

const K = 1000;
const SECOND = 1_000_000;

/** Rates of the probes that wait, kbit/s. */
function taken(controller: ProbeController): number[] {
  const rates: number[] = [];
  for (let probe = controller.next(); probe !== undefined; probe = controller.next()) rates.push(Math.round(probe.targetRate / K));
  return rates;
}

/** A controller after its start at 300 kbit/s with its first probes gone. */
function started(max = Number.POSITIVE_INFINITY, options?: ProbeControllerOptions): ProbeController {
  const controller = new ProbeController(options);
  controller.setBitrates(0, 100 * K, 300 * K, max);
  taken(controller);
  return controller;
}

/** The first probes led nowhere. */
function complete(max?: number): ProbeController {
  const controller = started(max);
  controller.process(1.1 * SECOND);
  return controller;
}

// Source of the figures: gcc.md D1 and libwebrtc 2026 probe_controller_unittest.
test("starts with three and six times the start rate, five packets and 15 ms each", () => {
  const controller = new ProbeController();
  controller.setBitrates(0, 100 * K, 300 * K, 10_000 * K);
  const first = controller.next()!;
  const second = controller.next()!;
  assert.deepEqual([first.targetRate, second.targetRate], [900 * K, 1800 * K]);
  assert.deepEqual([first.targetDuration, first.targetProbeCount, first.minProbeDelta], [15_000, 5, 2000]);
  assert.equal(second.id, first.id + 1);
  assert.equal(controller.next(), undefined);
});

test("the maximum caps the first probes: 3 × and 5 × (gcc.md Q)", () => {
  const controller = new ProbeController();
  controller.setBitrates(0, 0, 60 * K, 300 * K);
  assert.deepEqual(taken(controller), [180, 300]);
});

test("without a network it waits for one", () => {
  const controller = new ProbeController();
  controller.setNetworkUp(0, false);
  controller.setBitrates(0, 100 * K, 300 * K, 10_000 * K);
  assert.deepEqual(taken(controller), []);
  controller.setNetworkUp(1, true);
  assert.deepEqual(taken(controller), [900, 1800]);
});

test("goes on at twice a result above 0.7 of the last probe, until results stay away", () => {
  const controller = started();
  controller.setEstimate(0.1 * SECOND, 1260 * K, "delay");
  assert.deepEqual(taken(controller), [], "1260 is 0.7 × 1800 and not more");
  controller.setEstimate(0.2 * SECOND, 1800 * K, "delay");
  assert.deepEqual(taken(controller), [3600]);
  controller.process(1.3 * SECOND);
  controller.setEstimate(1.4 * SECOND, 3600 * K, "delay");
  assert.deepEqual(taken(controller), [], "it came too late");
});

test("5 Mbit/s is the most that is probed when no maximum is set", () => {
  const controller = started();
  controller.setEstimate(0.1 * SECOND, 4000 * K, "delay");
  assert.deepEqual(taken(controller), [5000]);
  controller.setEstimate(0.2 * SECOND, 5000 * K, "delay");
  assert.deepEqual(taken(controller), [], "a capped probe has no successor");
});

test("a maximum raised above the estimate is probed once", () => {
  const controller = complete(300 * K);
  controller.setBitrates(2 * SECOND, 100 * K, 0, 3000 * K);
  assert.deepEqual(taken(controller), [3000]);
  controller.setBitrates(2 * SECOND, 100 * K, 0, 3000 * K);
  assert.deepEqual(taken(controller), []);
});

test("a raised allocation is probed at one and two times, within twice the estimate, where the application was limited", () => {
  const unlimited = complete();
  unlimited.setMaxAllocated(2 * SECOND, 5000 * K);
  assert.deepEqual(taken(unlimited), [], "what uses all of its estimate finds out by itself");
  const controller = complete();
  controller.setAlrStart(SECOND);
  controller.setEstimate(1.5 * SECOND, 600 * K, "delay");
  controller.setMaxAllocated(2 * SECOND, 610 * K);
  assert.deepEqual(taken(controller), [610, 1200]);
  const slow = complete();
  slow.setAlrStart(SECOND);
  slow.setMaxAllocated(2 * SECOND, 5000 * K);
  assert.deepEqual(taken(slow), [600], "the estimate is 300");
  slow.setEstimate(2.1 * SECOND, 600 * K, "delay");
  assert.deepEqual(taken(slow), [1200], "a limited probe goes on");
});

test("in the application-limited region, twice the estimate every five seconds", () => {
  const controller = complete();
  controller.setAlrProbing(true);
  controller.setEstimate(2 * SECOND, 500 * K, "delay");
  controller.setAlrStart(2 * SECOND);
  controller.process(6.9 * SECOND);
  assert.deepEqual(taken(controller), []);
  controller.process(7 * SECOND);
  assert.deepEqual(taken(controller), [1000]);
  controller.process(8.1 * SECOND);
  controller.process(12 * SECOND);
  assert.deepEqual(taken(controller), [1000]);
  controller.setAlrStart(Number.NaN);
  controller.process(20 * SECOND);
  assert.deepEqual(taken(controller), []);
});

test("back to normal soon after a drop: 0.85 of the rate before, if the application was limited", () => {
  const controller = complete();
  controller.setEstimate(2 * SECOND, 500 * K, "delay");
  controller.setEstimate(3 * SECOND, 300 * K, "delay");
  controller.requestProbe(3.5 * SECOND);
  assert.deepEqual(taken(controller), [], "not limited");
  controller.setAlrEnded(3.5 * SECOND);
  controller.requestProbe(4 * SECOND);
  assert.deepEqual(taken(controller), [425]);
  controller.requestProbe(4.1 * SECOND);
  assert.deepEqual(taken(controller), [], "once in five seconds");
  controller.setEstimate(10 * SECOND, 100 * K, "delay");
  controller.setAlrStart(10 * SECOND);
  controller.requestProbe(15.1 * SECOND);
  assert.deepEqual(taken(controller), [], "too long after the drop");
});

test("a path that is full is not probed; one that recovers from loss only a little", () => {
  for (const limitedBy of ["delay-increased", "loss", "rtt"] as const) {
    const controller = complete();
    controller.setAlrStart(SECOND);
    controller.setEstimate(2 * SECOND, 500 * K, limitedBy);
    controller.setMaxAllocated(2 * SECOND, 2000 * K);
    assert.deepEqual(taken(controller), [], limitedBy);
  }
  const controller = complete();
  controller.setAlrStart(SECOND);
  controller.setEstimate(2 * SECOND, 500 * K, "loss-increasing");
  controller.setMaxAllocated(2 * SECOND, 2000 * K);
  assert.deepEqual(taken(controller), [750]);
});

test("repeated initial probing: every second for five, 100 ms long", () => {
  const controller = new ProbeController({ repeatInitial: true });
  controller.setBitrates(0, 100 * K, 300 * K, Number.POSITIVE_INFINITY);
  assert.equal(controller.next()?.targetDuration, 100_000);
  taken(controller);
  let probes = 0;
  for (let now = 0; now < 10 * SECOND; now += 25_000) {
    controller.process(now);
    probes += taken(controller).length;
  }
  assert.equal(probes, 4);
  const allocated = new ProbeController({ repeatInitial: true });
  allocated.setMaxAllocated(0, 1000 * K);
  allocated.setBitrates(0, 100 * K, 300 * K, Number.POSITIVE_INFINITY);
  assert.equal(allocated.next()?.targetDuration, 15_000);
});

test("capacity is probed at twice the estimate, every 1.5 s, up to what the streams could use", () => {
  const controller = complete();
  controller.setMaxAllocated(2 * SECOND, 1000 * K);
  controller.probeCapacity(2 * SECOND);
  const probe = controller.next();
  assert.equal(probe?.targetRate, 600 * K);
  assert.equal(probe?.capacity, true);
  controller.setEstimate(2.1 * SECOND, 500 * K, "delay");
  assert.equal(controller.next()?.capacity, true, "what follows from it looks for capacity too");
  controller.process(3.2 * SECOND);
  controller.probeCapacity(3.5 * SECOND);
  assert.deepEqual(taken(controller), []);
  controller.probeCapacity(3.7 * SECOND);
  assert.deepEqual(taken(controller), [1000]);
  controller.setEstimate(3.8 * SECOND, 1000 * K, "delay");
  assert.deepEqual(taken(controller), [2000], "a good result is followed further, as always");
  controller.process(5 * SECOND);
  controller.probeCapacity(9 * SECOND);
  assert.deepEqual(taken(controller), [], "the streams cannot use more");
});

test("the queue of probes is bounded", () => {
  const controller = new ProbeController({ queueMax: 1 });
  controller.setBitrates(0, 100 * K, 300 * K, Number.POSITIVE_INFINITY);
  assert.equal(controller.overflows, 1);
  assert.deepEqual(taken(controller), [900]);
});
