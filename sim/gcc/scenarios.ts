/**
 * Congestion control over RFC 8867's links, measured as RFC 8868 asks: `node sim/gcc/scenarios.ts [NAME] [SEED]`
 *
 * One-way delay 50 ms, a drop-tail queue of 300 ms; utilisation is what arrived over what the link could carry.
 */
import { assert } from "../../src/base/assert.ts";
import type { Millis } from "../../src/base/units.ts";
import { type Outcome, play, type Scenario } from "../scenario.ts";
import { World } from "../world.ts";
import { CrossTcp } from "./cross-tcp.ts";
import { Flow, type FlowOptions } from "./flow.ts";
import { Path } from "./path.ts";

const SECOND: Millis = 1000;
const DELAY: Millis = 50;
const QUEUE: Millis = 300;

/** From `at` on the link carries `kbps`. */
interface Step {
  readonly at: Millis;
  readonly kbps: number;
  /** The way back; without it that has no bottleneck. */
  readonly backKbps?: number;
}

interface Run {
  readonly steps: readonly Step[];
  readonly until: Millis;
  readonly flows: readonly FlowOptions[];
  /** Added to the forward link. */
  readonly link?: string;
  /** Drop-tail queue in time at the rate of the link; 300 ms by default. */
  readonly queue?: Millis;
  /** A TCP download shares the link from the start; its rate is not in the figures. */
  readonly tcp?: boolean;
}

/** Figures of one step of the link, or of the whole run. */
interface Figures {
  readonly from: Millis;
  readonly to: Millis;
  readonly kbps: number;
  readonly utilisation: number;
  /** Above the propagation, ms. */
  readonly p95Queue: Millis;
  readonly loss: number;
  /** Jain's index over the throughputs of flows: 1 = all the same. */
  readonly fairness: number;
}

const encoder = { encoderMin: 150_000, encoderMax: 2_500_000, maxBitrate: 2_500_000 } as const;

/** RFC 8867 5.1: multiples of 1 Mbit/s. */
const variableSingle: readonly Step[] = [
  { at: 0, kbps: 1000 },
  { at: 40 * SECOND, kbps: 2500 },
  { at: 60 * SECOND, kbps: 600 },
  { at: 80 * SECOND, kbps: 1000 },
];

/** RFC 8867 5.2: multiples of 2 Mbit/s, 25 s each. */
const variableMultiple: readonly Step[] = [4000, 2000, 3500, 1000, 2000].map((kbps, i) => ({ at: i * 25 * SECOND, kbps }));

/** RFC 8867 5.3: forward 2, 1, 0.5, 2 Mbit/s at 0, 20, 40, 60 s; back 2, 0.8, 2 Mbit/s at 0, 35, 70 s. */
const congestedFeedback: readonly Step[] = [
  { at: 0, kbps: 2000, backKbps: 2000 },
  { at: 20 * SECOND, kbps: 1000 },
  { at: 35 * SECOND, kbps: 1000, backKbps: 800 },
  { at: 40 * SECOND, kbps: 500 },
  { at: 60 * SECOND, kbps: 2000 },
  { at: 70 * SECOND, kbps: 2000, backKbps: 2000 },
];

export const gccScenarios: readonly Scenario[] = [
  scenario(
    "gcc-5.1",
    "RFC 8867 5.1: variable capacity, one flow",
    { steps: variableSingle, until: 100 * SECOND, flows: [encoder] },
    (f) => {
      assert(f.all.utilisation > 0.6, `utilisation ${f.all.utilisation}`);
      assert(f.steps[0]!.utilisation > 0.8, `utilisation of a steady link ${f.steps[0]!.utilisation}`);
      assert(f.steps[0]!.p95Queue < 60, `queue of a steady link ${f.steps[0]!.p95Queue} ms`);
      assert(f.steps[0]!.loss === 0, `loss of a steady link ${f.steps[0]!.loss}`);
    },
  ),
  scenario(
    "gcc-5.1-jitter",
    "The same with 5 ms of jitter",
    { steps: variableSingle, until: 100 * SECOND, flows: [encoder], link: "jitter=5 jdist=normal" },
    (f) => assert(f.all.utilisation > 0.5, `utilisation ${f.all.utilisation}`),
  ),
  scenario(
    "gcc-5.1-loss",
    "The same with 2 % of random loss",
    { steps: variableSingle, until: 100 * SECOND, flows: [encoder], link: "loss=2%" },
    (f) => assert(f.all.utilisation > 0.5, `utilisation ${f.all.utilisation}`),
  ),
  scenario(
    "gcc-5.2",
    "RFC 8867 5.2: variable capacity, two flows",
    { steps: variableMultiple, until: 125 * SECOND, flows: [encoder, encoder] },
    (f) => assert(f.all.fairness > 0.7, `fairness ${f.all.fairness}`),
  ),
  scenario(
    "gcc-5.3",
    "RFC 8867 5.3: a flow each way, the way back becomes a bottleneck too",
    { steps: congestedFeedback, until: 100 * SECOND, flows: [encoder, { ...encoder, reverse: true }] },
    (f) => assert(f.all.utilisation > 0.6, `utilisation ${f.all.utilisation}`),
  ),
  scenario(
    "gcc-5.8",
    "RFC 8867 5.8: three flows on 3.5 Mbit/s, the second pauses from 40 to 60 s",
    {
      steps: [0, 40, 60].map((at) => ({ at: at * SECOND, kbps: 3500 })),
      until: 120 * SECOND,
      flows: [encoder, { ...encoder, paused: [40 * SECOND, 60 * SECOND] }, encoder],
    },
    (f) => assert(f.steps[2]!.fairness > 0.7, `fairness ${f.steps[2]!.fairness}`),
  ),
  scenario(
    "gcc-5.4",
    "RFC 8867 5.4: three flows, starting at 0, 20 and 40 s, on 3.5 Mbit/s",
    {
      steps: [
        { at: 0, kbps: 3500 },
        { at: 40 * SECOND, kbps: 3500 },
      ],
      until: 120 * SECOND,
      flows: [0, 20, 40].map((at) => ({ ...encoder, startAt: at * SECOND })),
    },
    (f) => assert(f.steps[1]!.fairness > 0.7, `fairness ${f.steps[1]!.fairness}`),
  ),
  ...[300, 1000].map((queue) =>
    scenario(
      `gcc-5.6-${queue}`,
      `RFC 8867 5.6: one flow from 5 s on beside a long TCP, 2 Mbit/s, queue ${queue} ms`,
      { steps: [{ at: 0, kbps: 2000 }], until: 120 * SECOND, flows: [{ ...encoder, startAt: 5 * SECOND }], queue, tcp: true },
      (f) => assert(f.all.kbps > 100, `${f.all.kbps} kbit/s beside TCP`),
    ),
  ),
];

function scenario(name: string, about: string, run: Run, holds: (figures: { all: Figures; steps: readonly Figures[] }) => void): Scenario {
  return {
    name,
    about,
    run: (seed): Outcome => {
      const flows = simulate(run, seed);
      const steps = run.steps.map(({ at }, i) => measure(run, flows, at, run.steps[i + 1]?.at ?? run.until));
      const all = measure(run, flows, 0, run.until);
      holds({ all, steps });
      return {
        text: table(about, steps.length > 1 ? [...steps, all] : steps),
        counted: flows.map(({ record }) => [record.targets, record.delays]),
      };
    },
  };
}

function simulate(run: Run, seed: number): readonly Flow[] {
  const world = new World();
  const path = world.add(new Path(`delay=${DELAY} ${run.link ?? ""}`, `delay=${DELAY}`, seed));
  for (const { at, kbps, backKbps } of run.steps) {
    world.at(at, () => path.forward.set(capacity(kbps, run.queue ?? QUEUE)));
    if (backKbps !== undefined) world.at(at, () => path.backward.set(capacity(backKbps, run.queue ?? QUEUE)));
  }
  if (run.tcp === true) world.add(new CrossTcp(path));
  const flows = run.flows.map((options, i) => world.add(new Flow(path, seed + i, options)));
  world.run(run.until);
  return flows;
}

function capacity(kbps: number, queue: Millis): string {
  return `rate=${kbps}kbit qbytes=${Math.round((kbps * queue) / 8)}`;
}

/** Of the flows that go ahead. */
function measure(run: Run, flows: readonly Flow[], from: Millis, to: Millis): Figures {
  const ahead = flows.filter((_, i) => run.flows[i]?.reverse !== true);
  let bits = 0;
  for (const [i, { at, kbps }] of run.steps.entries()) {
    const end = Math.min(to, run.steps[i + 1]?.at ?? run.until);
    bits += kbps * Math.max(0, end - Math.max(from, at));
  }
  const rates = ahead.map(({ record }) => record.throughput(from, to) / 1000);
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  const losses = ahead.map(({ record }) => record.loss(from, to));
  return {
    from,
    to,
    kbps: total,
    utilisation: (total * (to - from)) / bits,
    p95Queue: Math.max(...ahead.map(({ record }) => record.delay(from, to, 0.95))) - DELAY,
    loss: losses.reduce((sum, loss, i) => sum + loss * rates[i]!, 0) / total,
    fairness: total ** 2 / (rates.length * rates.reduce((sum, rate) => sum + rate * rate, 0)),
  };
}

function table(about: string, rows: readonly Figures[]): string {
  const lines = rows.map(({ from, to, kbps, utilisation, p95Queue, loss, fairness }) =>
    [
      `${from / SECOND}–${to / SECOND} s`.padEnd(12),
      kbps.toFixed(0).padStart(6),
      `${(utilisation * 100).toFixed(1)} %`.padStart(12),
      `${p95Queue.toFixed(0)} ms`.padStart(10),
      `${(loss * 100).toFixed(2)} %`.padStart(8),
      fairness.toFixed(3).padStart(7),
    ].join("  "),
  );
  return `${about}\ntime          kbit/s   utilisation   p95 queue      loss     Jain\n${lines.join("\n")}\n`;
}

if (import.meta.main) {
  const [name, seed = "1"] = process.argv.slice(2);
  for (const entry of gccScenarios) {
    if (name !== undefined && entry.name !== name) continue;
    process.stdout.write(`${entry.name}: ${play(entry, Number(seed)).text}\n`);
  }
}
