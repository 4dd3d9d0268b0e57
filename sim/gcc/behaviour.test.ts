/** What has no figure: calls that stop, feedback that comes late, applications that send little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../world.ts";
import { Flow, type FlowOptions } from "./flow.ts";
import { Path } from "./path.ts";

const K = 1000;
const SECOND = 1000;

function call(link: string, back: string, options: FlowOptions): { world: World; path: Path; flow: Flow } {
  const world = new World();
  const path = world.add(new Path(link, back, 1));
  return { world, path, flow: world.add(new Flow(path, 1, options)) };
}

test("no collapse by RTT back-off when the video stops (libwebrtc NoRttBackoffCollapseWhenVideoStops)", () => {
  const { world, flow } = call("delay=100 rate=2mbit", "delay=0", { startBitrate: 1000 * K, rttBackoff: { limit: 2_000_000 } });
  world.run(SECOND);
  flow.filming = false;
  world.run(5 * SECOND);
  assert.ok(flow.controller.targetRate > 1000 * K, `${flow.controller.targetRate}`);
});

test("feedback that is minutes late does no harm (libwebrtc NoCrashOnVeryLateFeedback)", () => {
  const { world, path, flow } = call("delay=10", "delay=10", {});
  world.run(5 * SECOND);
  path.backward.set("delay=300000");
  flow.filming = false;
  world.run(304 * SECOND);
  flow.filming = true;
  path.backward.set("delay=10");
  world.run(307 * SECOND);
  assert.ok(flow.controller.targetRate >= 5 * K && Number.isFinite(flow.controller.targetRate));
});

test("an application-limited sender keeps probing, and its estimate stays within bounds", () => {
  const { world, flow } = call("delay=20 rate=5mbit", "delay=20", { encoderMax: 300 * K, maxBitrate: 50_000 * K });
  world.run(60 * SECOND);
  assert.ok(flow.controller.applicationLimited);
  const target = flow.controller.targetRate;
  assert.ok(target > 500 * K && target < 5000 * K, `${target}`);
});

test("the padding follows the window's push-back (libwebrtc PaddingRateLimitedByCongestionWindowInTrial)", () => {
  const congestionWindow = { queueTime: 200_000, pushbackMin: 30 * K };
  const { world, path, flow } = call("delay=100 rate=1mbit", "delay=100", {
    startBitrate: 1000 * K,
    maxBitrate: 2000 * K,
    congestionWindow,
  });
  const { controller } = flow;
  world.run(10 * SECOND);
  controller.setStreams(world.now * 1000, { minAllocated: 0, maxPadding: 2000 * K, maxAllocated: 2000 * K });
  assert.equal(controller.paddingRate, controller.targetRate);
  path.forward.set("rate=1kbit");
  world.run(11 * SECOND);
  assert.ok(controller.targetRate < controller.estimate);
  assert.equal(controller.paddingRate, controller.targetRate);
});

test("with dropped frames the target stays, the encoder sends less, and padding keeps to the window", () => {
  const congestionWindow = { queueTime: 200_000, pushbackMin: 30 * K, dropFrames: true };
  const { world, path, flow } = call("delay=100 rate=1mbit", "delay=100", {
    startBitrate: 1000 * K,
    maxBitrate: 2000 * K,
    congestionWindow,
  });
  world.run(10 * SECOND);
  assert.equal(flow.controller.windowReduction, 0);
  const before = flow.controller.targetRate;
  path.forward.set("rate=1kbit");
  world.run(11.5 * SECOND);
  assert.ok(flow.controller.targetRate > 0.8 * before, `${before} → ${flow.controller.targetRate}`);
  assert.ok(flow.controller.windowReduction > 0.3, `${flow.controller.windowReduction}`);
  assert.ok(flow.framesDropped > 5, `${flow.framesDropped}`);
});
