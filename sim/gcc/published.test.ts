/** Figures that others published of GCC, as bounds for ours: reference/gcc.md L, P1, P2, P4, P14, P32, table N, and three more scenarios of libwebrtc. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../world.ts";
import { CrossTcp } from "./cross-tcp.ts";
import { Flow, type FlowOptions } from "./flow.ts";
import { Path } from "./path.ts";

const K = 1000;
const SECOND = 1000;

function call(link: string, back: string, options: FlowOptions): { world: World; path: Path; flow: Flow } {
  const world = new World();
  const path = world.add(new Path(link, back, 1));
  return { world, path, flow: world.add(new Flow(path, 1, options)) };
}

test("P1: 1 Mbit/s, RTT 50 ms, queue 150 ms: 95 % of round trips within 130 ms, the median near the least", () => {
  const { world, flow } = call("delay=25 rate=1mbit qbytes=18750", "delay=25", { maxBitrate: 3000 * K });
  world.run(100 * SECOND);
  const [p50, p95] = [0.5, 0.95].map((quantile) => flow.record.delay(5 * SECOND, 100 * SECOND, quantile) + 25);
  assert.ok(p95! <= 130, `p95 ${p95} ms`);
  assert.ok(p50! <= 80, `p50 ${p50} ms`);
  assert.ok(flow.record.throughput(5 * SECOND, 100 * SECOND) > 850 * K);
});

test("P2: 1, 2.5, 0.5, 1 Mbit/s for 50 s each: the rate follows", () => {
  const { world, path, flow } = call("delay=25 rate=1mbit qbytes=18750", "delay=25", { maxBitrate: 3000 * K });
  for (const [at, rate] of [
    [50, 2500],
    [100, 500],
    [150, 1000],
  ] as const) {
    world.at(at * SECOND, () => path.forward.set(`rate=${rate}kbit qbytes=${Math.round((rate * 150) / 8)}`));
  }
  world.run(200 * SECOND);
  for (const [from, to, rate] of [
    [10, 50, 1000],
    [85, 100, 2500],
    [110, 150, 500],
    [185, 200, 1000],
  ] as const) {
    const share = flow.record.throughput(from * SECOND, to * SECOND) / (rate * K);
    assert.ok(share > 0.8 && share <= 1.01, `${from}…${to} s: ${share}`);
  }
});

test("P4: utilisation above 0.8 for 0.5 … 2 Mbit/s and round trips of 30 … 120 ms, buffer 60 kB", () => {
  for (const rate of [500, 1000, 1500, 2000]) {
    for (const rtt of [30, 50, 80, 120]) {
      const { world, flow } = call(`delay=${rtt / 2} rate=${rate}kbit qbytes=60000`, `delay=${rtt / 2}`, { maxBitrate: 5000 * K });
      world.run(30 * SECOND);
      const share = flow.record.throughput(5 * SECOND, 30 * SECOND) / (rate * K);
      assert.ok(share > 0.8, `${rate} kbit/s, ${rtt} ms: ${share}`);
    }
  }
});

test("P14: beside TCP on 1 Mbit/s it takes less than 750 kbit/s, and TCP gets something", () => {
  const { world, path, flow } = call("delay=50 rate=1mbit", "delay=50 rate=1mbit", { startBitrate: 1000 * K });
  const tcp = world.add(new CrossTcp(path));
  world.run(10 * SECOND);
  assert.ok(flow.controller.targetRate < 750 * K, `${flow.controller.targetRate}`);
  assert.ok(tcp.received * 8 > 10 * 200 * K, `${(tcp.received * 8) / 10}`);
});

test("N: 2 Mbit/s with a queue of 300 ms: at least 95 % of what Chromium 156 gets through, at most 1.1 × its delay", () => {
  // Chromium to a libwebrtc receiver over such a link: mean 1529 kbit/s of payload in 5…20 s, round trips up to 187 ms, no loss.
  for (const frameVariation of [0.1, 0.4]) {
    const { world, flow } = call("delay=0.1 rate=2mbit qbytes=75000", "delay=0.1", {
      maxBitrate: 8000 * K,
      encoderMax: 8000 * K,
      frameVariation,
    });
    world.run(20 * SECOND);
    assert.ok(flow.record.throughput(5 * SECOND, 20 * SECOND) >= 0.95 * 1529 * K);
    assert.ok(flow.record.delay(0, 20 * SECOND, 1) <= 1.1 * 187, `${flow.record.delay(0, 20 * SECOND, 1)} ms`);
  }
});

test("P32: 10 Mbit/s, 0.8, 10 again", () => {
  const { world, path, flow } = call("delay=20 rate=10mbit qbytes=375k", "delay=20", { maxBitrate: 12_000 * K, encoderMax: 12_000 * K });
  const target = (): number => flow.controller.targetRate / K;
  world.run(20 * SECOND);
  assert.ok(target() >= 5000, `${target()}`);
  path.forward.set("rate=800kbit qbytes=30000");
  world.run(25 * SECOND);
  assert.ok(target() >= 500 && target() <= 1000, `${target()}`);
  world.run(40 * SECOND);
  assert.ok(target() >= 400 && target() <= 1000, `${target()}`);
  path.forward.set("rate=10mbit qbytes=375k");
  world.run(80 * SECOND);
  assert.ok(target() >= 3000, `${target()}`);
});

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
