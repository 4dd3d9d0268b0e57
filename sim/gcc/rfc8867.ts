/**
 * The cases of RFC 8867 section 5, with what they must show. The RFC gives links and flows but no numbers to pass; those are ours: 90 % of the link
 * by one flow, 95 % of packets queued less than 100 ms, less than 1 % lost, Jain's index 0.9 among our own flows, 0.3 of the link beside a long
 * TCP, 90 % of a higher capacity within 5 s.
 */
import type { Case, CaseRun, Step } from "./case.ts";
import { SECOND } from "./case.ts";
import { atLeast, atMost, below, type Verdict } from "./verdict.ts";

const encoder = { encoderMin: 150_000, encoderMax: 2_500_000, maxBitrate: 2_500_000 } as const;

/** Section 5.1: multiples of 1 Mbit/s. */
const variableSingle: readonly Step[] = [
  { at: 0, kbps: 1000 },
  { at: 40 * SECOND, kbps: 2500 },
  { at: 60 * SECOND, kbps: 600 },
  { at: 80 * SECOND, kbps: 1000 },
];

/** Section 5.2: multiples of 2 Mbit/s, 25 s each. */
const variableMultiple: readonly Step[] = [4000, 2000, 3500, 1000, 2000].map((kbps, i) => ({ at: i * 25 * SECOND, kbps }));

/** Section 5.3: forward 2, 1, 0.5, 2 Mbit/s at 0, 20, 40, 60 s; back 2, 0.8, 2 Mbit/s at 0, 35, 70 s. */
const congestedFeedback: readonly Step[] = [
  { at: 0, kbps: 2000, backKbps: 2000 },
  { at: 20 * SECOND, kbps: 1000 },
  { at: 35 * SECOND, kbps: 1000, backKbps: 800 },
  { at: 40 * SECOND, kbps: 500 },
  { at: 60 * SECOND, kbps: 2000 },
  { at: 70 * SECOND, kbps: 2000, backKbps: 2000 },
];

/** What every case without cross traffic must show. */
function calm(run: CaseRun): Record<string, Verdict> {
  const { until } = run.case;
  return {
    "p95 of queue delay": atMost(run.p95Queue(0, until), 100, " ms"),
    loss: below(run.lossPercent(0, until), 1, " %"),
  };
}

function used(run: CaseRun, least: number, reverse = false): Verdict {
  return atLeast(run.utilisation(10 * SECOND, run.case.until, reverse), least);
}

function risen(run: CaseRun, at: number, reverse = false): Verdict {
  return atMost(run.recovery(at * SECOND, reverse) / SECOND, 5, " s");
}

function longTcp(congestion: "cubic" | "reno", queue: number): Case {
  return {
    name: `gcc-5.6-${congestion}-${queue}`,
    about: `One flow from 5 s on beside a long TCP (${congestion}), 2 Mbit/s, queue ${queue} ms`,
    source: "RFC 8867 5.6",
    steps: [{ at: 0, kbps: 2000 }],
    until: 120 * SECOND,
    flows: [{ ...encoder, startAt: 5 * SECOND }],
    tcp: [{ congestion }],
    queue,
    expects: (run) => ({
      "share of the link": atLeast(run.utilisation(5 * SECOND, 120 * SECOND), 0.3),
      "share left to TCP": atLeast(run.tcpUtilisation(5 * SECOND, 120 * SECOND), 0.3),
    }),
  };
}

export const rfc8867: readonly Case[] = [
  {
    name: "gcc-5.1",
    about: "Variable capacity, one flow",
    source: "RFC 8867 5.1",
    steps: variableSingle,
    until: 100 * SECOND,
    flows: [encoder],
    expects: (run) => ({
      "utilisation after 10 s": used(run, 0.9),
      ...calm(run),
      "90 % after 1 → 2.5 Mbit/s": risen(run, 40),
      "90 % after 0.6 → 1 Mbit/s": risen(run, 80),
    }),
  },
  {
    name: "gcc-5.1-jitter",
    about: "The same with 5 ms of jitter",
    source: "RFC 8867 5.1, with jitter",
    steps: variableSingle,
    until: 100 * SECOND,
    flows: [encoder],
    link: "jitter=5 jdist=normal",
    expects: (run) => ({ "utilisation after 10 s": used(run, 0.85), ...calm(run) }),
  },
  {
    name: "gcc-5.1-loss",
    about: "The same with 2 % of random loss",
    source: "RFC 8867 5.1, with loss",
    steps: variableSingle,
    until: 100 * SECOND,
    flows: [encoder],
    link: "loss=2%",
    expects: (run) => ({
      "utilisation after 10 s": used(run, 0.8),
      "p95 of queue delay": calm(run)["p95 of queue delay"]!,
      "loss, 2 % of it random": below(run.lossPercent(0, run.case.until), 3, " %"),
    }),
  },
  {
    name: "gcc-5.2",
    about: "Variable capacity, two flows",
    source: "RFC 8867 5.2",
    steps: variableMultiple,
    until: 125 * SECOND,
    flows: [encoder, encoder],
    expects: (run) => ({
      "utilisation after 10 s": used(run, 0.85),
      ...calm(run),
      "Jain's index after 60 s": atLeast(run.jain(60 * SECOND, 125 * SECOND), 0.9),
      "90 % after 2 → 3.5 Mbit/s": risen(run, 50),
      "90 % after 1 → 2 Mbit/s": risen(run, 100),
    }),
  },
  {
    name: "gcc-5.3",
    about: "A flow each way; the way back becomes a bottleneck too",
    source: "RFC 8867 5.3",
    steps: congestedFeedback,
    until: 100 * SECOND,
    flows: [encoder, { ...encoder, reverse: true }],
    expects: (run) => ({
      "utilisation after 10 s": used(run, 0.9),
      ...calm(run),
      "90 % after 0.5 → 2 Mbit/s": risen(run, 60),
      "utilisation back, after 10 s": used(run, 0.9, true),
      "90 % after 0.8 → 2 Mbit/s back": risen(run, 70, true),
    }),
  },
  {
    name: "gcc-5.4",
    about: "Three flows, starting at 0, 20 and 40 s, on 3.5 Mbit/s",
    source: "RFC 8867 5.4",
    steps: [{ at: 0, kbps: 3500 }],
    until: 120 * SECOND,
    flows: [0, 20, 40].map((at) => ({ ...encoder, startAt: at * SECOND })),
    expects: (run) => ({
      "utilisation after 60 s": atLeast(run.utilisation(60 * SECOND, 120 * SECOND), 0.85),
      ...calm(run),
      "Jain's index after 60 s": atLeast(run.jain(60 * SECOND, 120 * SECOND), 0.9),
    }),
  },
  {
    name: "gcc-5.5",
    about: "Five flows of 20, 50, 100, 200 and 300 ms round trip, starting 10 s apart, on 4 Mbit/s",
    source: "RFC 8867 5.5",
    steps: [{ at: 0, kbps: 4000 }],
    until: 300 * SECOND,
    delay: 10,
    flows: [10, 25, 50, 100, 150].map((oneWay, i) => ({ ...encoder, extraDelay: oneWay - 10, startAt: i * 10 * SECOND })),
    expects: (run) => ({
      "utilisation after 60 s": atLeast(run.utilisation(60 * SECOND, 300 * SECOND), 0.85),
      ...calm(run),
      "Jain's index after 60 s": atLeast(run.jain(60 * SECOND, 300 * SECOND), 0.8),
    }),
  },
  longTcp("cubic", 300),
  longTcp("cubic", 1000),
  longTcp("reno", 300),
  longTcp("reno", 1000),
  {
    name: "gcc-5.7",
    about: "Two flows beside ten TCPs that each fetch 0.1 to 1 MB, 10 s apart on average, on 2 Mbit/s",
    source: "RFC 8867 5.7",
    steps: [{ at: 0, kbps: 2000 }],
    until: 300 * SECOND,
    flows: [encoder, encoder],
    tcp: Array.from({ length: 10 }, (_, i) => ({
      files: { seed: i + 1, bytesMin: 100_000, bytesMax: 1_000_000, pauseMean: 10 * SECOND },
    })),
    expects: (run) => ({
      "utilisation with TCP": atLeast(run.utilisation(10 * SECOND, 300 * SECOND) + run.tcpUtilisation(10 * SECOND, 300 * SECOND), 0.85),
      "share of the link, of 2 of 12 flows": atLeast(run.utilisation(10 * SECOND, 300 * SECOND), 0.15),
      "Jain's index after 60 s": atLeast(run.jain(60 * SECOND, 300 * SECOND), 0.9),
    }),
  },
  {
    name: "gcc-5.8",
    about: "Three flows on 3.5 Mbit/s, the second pauses from 40 to 60 s",
    source: "RFC 8867 5.8",
    steps: [{ at: 0, kbps: 3500 }],
    until: 120 * SECOND,
    flows: [encoder, { ...encoder, paused: [40 * SECOND, 60 * SECOND] }, encoder],
    expects: (run) => ({
      "utilisation after 10 s": used(run, 0.85),
      ...calm(run),
      "Jain's index after 70 s": atLeast(run.jain(70 * SECOND, 120 * SECOND), 0.9),
    }),
  },
];
