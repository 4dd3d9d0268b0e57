/** Published figures of GCC's components, one by one: reference/gcc.md L, P21…P31, all of them of libwebrtc's own unit tests. */
import { Aimd } from "../../src/gcc/aimd.ts";
import { BitrateAllocator, type BitrateObserver, type StreamLimits } from "../../src/gcc/bitrate-allocator.ts";
import { ProbeEstimator } from "../../src/gcc/probe-estimator.ts";
import { RembEstimator } from "../../src/gcc/remb-estimator.ts";
import { SingleStreamEstimator } from "../../src/gcc/remb-single-stream.ts";
import { DelaySession } from "../../src/gcc/testing/delay-session.ts";
import { framesToGrow } from "../../src/gcc/testing/growth.ts";
import { RembSession } from "../../src/gcc/testing/remb-session.ts";
import type { Published } from "./published.ts";
import { all, between, exactly, near } from "./verdict.ts";

const K = 1000;
const DELAY = "libwebrtc, DelayBasedBwe";
const ABS_SEND_TIME = "libwebrtc, RemoteBitrateEstimatorAbsSendTime";
const SINGLE_STREAM = "libwebrtc, RemoteBitrateEstimatorSingleStream";
const PROBE = "libwebrtc, ProbeBitrateEstimator";
const AIMD = "libwebrtc, AimdRateControl";
const ALLOCATOR = "libwebrtc, BitrateAllocator";

/** The rate a probe of packets of 1000 bytes shows; kbit/s. */
function probed(times: readonly (readonly [number, number])[]): number {
  const estimator = new ProbeEstimator();
  const targetRate = (5000 * 8e6) / 15_000;
  estimator.expect({ id: 1, createdAt: 0, targetRate, targetDuration: 15_000, minProbeDelta: 2000, targetProbeCount: 5 });
  let result = Number.NaN;
  for (const [send, receive] of times) {
    const found = estimator.add(1, 1000, send * 1000, receive * 1000);
    if (!Number.isNaN(found)) result = found / K;
  }
  return result;
}

/** What each of the streams is given of these rates, kbit/s. */
function shares(streams: readonly StreamLimits[], rates: readonly number[]): string {
  const allocator = new BitrateAllocator();
  const observers = streams.map((limits) => {
    const observer: BitrateObserver = { onBitrate: () => 0 };
    allocator.set(observer, limits);
    return observer;
  });
  return rates
    .map((rate) => {
      allocator.onEstimate(rate * K, 0, 0);
      return observers.map((observer) => Math.round(allocator.allocation(observer)! / K)).join("/");
    })
    .join(" ");
}

function aimd(rate: number): Aimd {
  const control = new Aimd();
  control.setEstimate(rate, 0);
  return control;
}

export const publishedParts: readonly Published[] = [
  {
    id: "P21",
    what: "1 → 0.5 Mbit/s: time to follow; receiver's clock +30 s, −30 s",
    source: DELAY,
    judge: () => {
      const took = [0, 30_000_000, -30_000_000].map((jump) => new DelaySession().capacityDrop(jump).took);
      return all(near(took[0]!, 500, 33), near(took[1]!, 867, 33), near(took[2]!, 933, 33, " ms"));
    },
  },
  {
    id: "P22",
    what: "steady at 1 Mbit/s",
    source: DELAY,
    judge: () => near(new DelaySession().capacityDrop(0).steady / K, 1000, 180, " kbit/s"),
  },
  {
    id: "P23",
    what: "frames from 30 to 500 kbit/s",
    source: DELAY,
    judge: () => exactly(framesToGrow(new DelaySession(), 617), 617),
  },
  {
    id: "P23",
    what: "the same at the receiver",
    source: ABS_SEND_TIME,
    judge: () => exactly(framesToGrow(new RembSession(new RembEstimator()), 1237), 1237),
  },
  {
    id: "P23",
    what: "the same by RTP timestamps",
    source: SINGLE_STREAM,
    judge: () => exactly(framesToGrow(new RembSession(new SingleStreamEstimator()), 1267), 1267),
  },
  {
    id: "P24",
    what: "a packet 50 times a second for 5 s",
    source: DELAY,
    judge: () => {
      const session = new DelaySession();
      session.fiftyFrames();
      return near(session.latest / K, 730, 50, " kbit/s");
    },
  },
  {
    id: "P24",
    what: "the same at the receiver",
    source: ABS_SEND_TIME,
    judge: () => {
      const session = new RembSession(new RembEstimator());
      session.fiftyFrames();
      return near(session.latest / K, 674.8, 50, " kbit/s");
    },
  },
  {
    id: "P25",
    what: "300 kbit/s over 200 from the start: within ⅓ s",
    source: DELAY,
    judge: () => between(new DelaySession().initialOveruse() / K, 160, 200, " kbit/s"),
  },
  {
    id: "P26",
    what: "a probe of 1600 that arrives at 1142; of 8000 at 4000",
    source: PROBE,
    judge: () => {
      const first = probed([0, 5, 10, 15, 20].map((t) => [t, 10 + (t * 7) / 5]));
      const second = probed([0, 1, 2, 3, 4].map((t) => [t, 10 + 2 * t]));
      return all(near(first, 1083, 10), near(second, 3800, 10, " kbit/s"));
    },
  },
  {
    id: "P27",
    what: "a probe that arrives ten times faster",
    source: PROBE,
    judge: () => exactly(probed([0, 10, 20, 30].map((t) => [t, 50 + t / 10])), Number.NaN),
  },
  {
    id: "P28",
    what: "264 kbit/s, overuse with (216 + 5) / 0.85 acked: rate, increase a second",
    source: AIMD,
    judge: () => {
      const control = aimd(264_000);
      control.update("overusing", (216_000 + 5000) / 0.85, 100_000);
      return all(near(control.rate / K, 216, 0.001), near(control.nearMaxIncrease / K, 12, 0.001, " kbit/s"));
    },
  },
  {
    id: "P29",
    what: "20 s of normal with 10 kbit/s acked",
    source: AIMD,
    judge: () => {
      const control = aimd(10_000);
      for (let t = 0; t < 20_000; t += 100) control.update("normal", 10_000, t * K);
      return near(control.rate / K, 25, 0.001, " kbit/s");
    },
  },
  {
    id: "P30",
    what: "A 100…1500, B 100…300 first up to 300: of 100, 200, 300, 400, 800",
    source: ALLOCATOR,
    judge: () => {
      const streams = [
        { min: 100 * K, max: 1500 * K },
        { min: 100 * K, max: 300 * K, priorityBitrate: 300 * K },
      ];
      return exactly(shares(streams, [100, 200, 300, 400, 800]), "100/100 100/100 100/200 100/300 500/300");
    },
  },
  {
    id: "P31",
    what: "100…300 and 200…300: of 200, 500, 1500, 0",
    source: ALLOCATOR,
    judge: () => {
      const streams = [
        { min: 100 * K, max: 300 * K },
        { min: 200 * K, max: 300 * K },
      ];
      return exactly(shares(streams, [200, 500, 1500, 0]), "100/200 200/300 600/600 0/0");
    },
  },
];
