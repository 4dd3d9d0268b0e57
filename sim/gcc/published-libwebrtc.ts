/** Figures of libwebrtc's own scenario tests: reference/gcc.md L, P7…P20. Each must hold with what we do beyond libwebrtc, and without. */
import { SECOND } from "./case.ts";
import { CrossTcp } from "./cross-tcp.ts";
import type { FlowOptions } from "./flow.ts";
import { call, K, type Published } from "./published.ts";
import { all, atLeast, atMost, below, between, near } from "./verdict.ts";

const LW = (name: string): string => `libwebrtc, ${name}`;

/** P7, P8, P9 are three moments of one run. */
function linkCapacity(mode: FlowOptions): number[] {
  const options = { startBitrate: 300 * K, minBitrate: 10 * K, maxBitrate: 1500 * K, encoderMin: 10 * K, ...mode };
  const { world, path, target } = call("delay=100 rate=500kbit", "delay=100", options);
  const targets: number[] = [];
  world.run(25 * SECOND);
  targets.push(target());
  path.forward.set("rate=800kbit");
  world.run(45 * SECOND);
  targets.push(target());
  path.forward.set("rate=100kbit delay=200");
  path.backward.set("delay=200");
  world.run(95 * SECOND);
  targets.push(target());
  return targets;
}

/** Target after the link stood still for 3 s, with a congestion window. */
function standstill(mode: FlowOptions, dropFrames: boolean): number {
  const rates = { startBitrate: 300 * K, maxBitrate: 2000 * K, minBitrate: 10 * K, encoderMin: 10 * K };
  const congestionWindow = { queueTime: 800_000, pushbackMin: 30 * K, dropFrames };
  const { world, path, target } = call("delay=100 rate=1mbit", "delay=100", { ...rates, congestionWindow, ...mode });
  world.run(10 * SECOND);
  path.forward.set("rate=1kbit");
  world.run(13 * SECOND);
  return target();
}

/** How often a run of samples falls by more than `threshold` below its first and comes back to it. */
export function dips(samples: readonly number[], threshold: number): number {
  const first = samples[0] ?? 0;
  let [count, high] = [0, true];
  for (const sample of samples) {
    if (high && sample + threshold < first) {
      count++;
      high = false;
    } else {
      high = sample === first;
    }
  }
  return count;
}

export const publishedLibwebrtc: readonly Published[] = [
  {
    id: "P7…P9",
    what: "500, 800, 100 kbit/s: the target at the end of each",
    source: LW("UpdatesTargetRateBasedOnLinkCapacity"),
    own: true,
    judge: (mode) => {
      const [first = 0, second = 0, third = 0] = linkCapacity(mode);
      return all(near(first, 450, 100), near(second, 750, 150), near(third, 90, 25, " kbit/s"));
    },
  },
  {
    id: "P10",
    what: "2 Mbit/s: target, 1 s after a REMB of 250, 10 s after it was lifted",
    source: LW("FastRampupOnRembCapLifted"),
    own: true,
    judge: (mode) => {
      const { world, flow, target } = call("delay=50 rate=2mbit", "delay=50 rate=2mbit", { startBitrate: 1000 * K, ...mode });
      world.run(10 * SECOND);
      const before = target();
      flow.controller.onRemb(250 * K);
      world.run(11 * SECOND);
      const capped = target();
      flow.controller.onRemb(10_000 * K);
      world.run(21 * SECOND);
      return all(atLeast(before, 1500), near(capped, 250, 0), atLeast(target(), 1500, " kbit/s"));
    },
  },
  {
    id: "P11",
    what: "2 Mbit/s, RTT 400 ms, 10 % random loss: target after 120 s",
    source: LW("LossBasedControlDoesModestBackoffToHighLoss"),
    own: true,
    judge: (mode) => {
      const { world, target } = call("delay=200 rate=2mbit loss=10%", "delay=200", { startBitrate: 300 * K, encoderMin: 10 * K, ...mode });
      world.run(120 * SECOND);
      return atLeast(target(), 100, " kbit/s");
    },
  },
  {
    id: "P12",
    what: "receiver reports alone: target after 20 s, and after 20 s with 15 % loss",
    source: LW("FallbackToLossBasedBweWithoutPacketFeedback"),
    own: true,
    judge: (mode) => {
      const rates = { startBitrate: 300 * K, maxBitrate: 1000 * K, minBitrate: 10 * K, encoderMin: 10 * K };
      const { world, path, target } = call("delay=100 rate=1mbit", "delay=100", { ...rates, transportFeedback: false, ...mode });
      world.run(20 * SECOND);
      const clean = target();
      path.forward.set("loss=15%");
      world.run(40 * SECOND);
      return all(atLeast(clean, 500), atMost(target(), 300, " kbit/s"));
    },
  },
  {
    id: "P13",
    what: "2 Mbit/s, 20 % loss: most dips of 100 kbit/s in any 500 ms of 2 s",
    source: LW("NoBandwidthTogglingInLossControlTrial"),
    own: true,
    judge: (mode) => {
      const { world, flow } = call("delay=10 rate=2mbit loss=20%", "delay=10", { startBitrate: 300 * K, ...mode });
      const samples: number[] = [];
      world.every(300, 50, () => samples.push(flow.controller.targetRate) < 40);
      world.run(2.5 * SECOND);
      let most = samples.length === 40 ? 0 : Number.NaN;
      for (let i = 10; i <= samples.length; i++) most = Math.max(most, dips(samples.slice(i - 10, i), 100 * K));
      return below(most, 2);
    },
  },
  {
    id: "P14",
    what: "beside TCP on 1 Mbit/s: target after 10 s",
    source: LW("IsFairToTCP"),
    own: true,
    judge: (mode) => {
      const { world, path, target } = call("delay=50 rate=1mbit", "delay=50 rate=1mbit", { startBitrate: 1000 * K, ...mode });
      const tcp = world.add(new CrossTcp(path));
      world.run(10 * SECOND);
      return all(below(target(), 750), atLeast((tcp.received * 8) / 10 / K, 200, " kbit/s"));
    },
  },
  {
    id: "P15",
    what: "100 kbit/s and 10 s worth of other packets: target 6 s after, RTT limit 2 s",
    source: LW("LimitsToFloorIfRttIsHighInTrial"),
    own: true,
    judge: (mode) => {
      const options = { startBitrate: 100 * K, rttBackoff: { limit: 2_000_000, floor: 50 * K }, ...mode };
      const { world, path, target } = call("delay=100 rate=100kbit", "delay=100", options);
      world.run(10 * SECOND);
      for (let i = 0; i < 125; i++) path.segment(world.now, path.forward, { segment: () => undefined }, new Uint8Array(1000), 1000);
      world.run(16 * SECOND);
      return near(target(), 50, 5, " kbit/s");
    },
  },
  {
    id: "P16",
    what: "a good link, start 300: after 1 s, with 500 kbit/s of media and without a limit",
    source: LW("ProbingTest"),
    own: true,
    judge: (mode) => {
      const targets = [500 * K, 10_000 * K].map((encoderMax) => {
        const { world, target } = call("delay=10", "delay=10", { startBitrate: 300 * K, encoderMax, ...mode });
        world.run(SECOND);
        return target();
      });
      return all(atLeast(targets[0]!, 900), atLeast(targets[1]!, 1500, " kbit/s"));
    },
  },
  {
    id: "P17",
    what: "the maximum goes from 100 kbit/s to 3 Mbit/s: target after 1 s",
    source: LW("ProbingTest"),
    own: true,
    judge: (mode) => {
      const options = { startBitrate: 50 * K, maxBitrate: 100 * K, encoderMax: 10_000 * K, ...mode };
      const { world, flow, target } = call("delay=50", "delay=50", options);
      world.run(5 * SECOND);
      const before = target();
      flow.controller.setConstraints(5 * 1e6, 100 * K, 0, 3000 * K);
      world.run(6 * SECOND);
      return all(near(before, 100, 0), atLeast(target(), 1500, " kbit/s"));
    },
  },
  {
    id: "P18",
    what: "another route, 200 → 800 kbit/s: target after 1.05 s",
    source: LW("DetectsHighRateInSafeResetTrial"),
    own: true,
    judge: (mode) => {
      const options = { startBitrate: 200 * K, encoderMax: 10_000 * K, ...mode };
      const { world, path, flow, target } = call("delay=50 rate=200kbit", "delay=50", options);
      world.run(3 * SECOND);
      path.forward.set("rate=800kbit");
      flow.controller.onRouteChange(world.now * 1000, 200 * K);
      world.run(world.now + 1050);
      return atLeast(target(), 500, " kbit/s");
    },
  },
  {
    id: "P19",
    what: "congestion window, the link stands still for 3 s: target",
    source: LW("CongestionWindowPushbackOnNetworkDelay"),
    own: true,
    judge: (mode) => below(standstill(mode, false), 40, " kbit/s"),
  },
  {
    id: "P19",
    what: "the same where frames are dropped instead: target",
    source: LW("CongestionWindowPushbackDropFrameOnNetworkDelay"),
    own: true,
    judge: (mode) => atLeast(standstill(mode, true), 300, " kbit/s"),
  },
  {
    id: "P20",
    what: "strictly paced over 1 Mbit/s for 5 s: longest wait in the pacer",
    source: LW("TargetRateReducedOnPacingBufferBuildupInTrial"),
    own: true,
    judge: (mode) => {
      const congestionWindow = { queueTime: 100_000, pushbackMin: 30 * K };
      const { world, flow } = call("delay=50 rate=1mbit", "delay=50", {
        startBitrate: 1000 * K,
        pacingFactor: 1,
        congestionWindow,
        ...mode,
      });
      world.run(5 * SECOND);
      return between(Math.max(...flow.record.pacerWaits), 1, 150, " ms");
    },
  },
];
