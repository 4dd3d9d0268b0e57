/**
 * A case of RFC 8867: flows, cross traffic and a bottleneck whose capacity changes, run in virtual time and measured as RFC 8868 asks.
 *
 * One-way delay 50 ms, a drop-tail queue of 300 ms unless the case says otherwise. Utilisation is what arrived over what the link could carry.
 */
import type { Millis } from "../../src/base/units.ts";
import { World } from "../world.ts";
import { Branch } from "./branch.ts";
import { CrossTcp, type CrossTcpOptions } from "./cross-tcp.ts";
import { Flow, type FlowOptions } from "./flow.ts";
import { Path } from "./path.ts";
import type { Verdict } from "./verdict.ts";

export const SECOND: Millis = 1000;
const DELAY: Millis = 50;
const QUEUE: Millis = 300;
const SAMPLE: Millis = 200;
const LAST_ARRIVALS: Millis = 2000;

/** From `at` on the link carries `kbps`. */
export interface Step {
  readonly at: Millis;
  readonly kbps: number;
  /** The way back; without it that has no bottleneck. */
  readonly backKbps?: number;
}

export interface CaseFlow extends FlowOptions {
  /** Each way, beside the bottleneck's. */
  readonly extraDelay?: Millis;
}

export interface Case {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  readonly source: string;
  readonly steps: readonly Step[];
  readonly until: Millis;
  readonly flows: readonly CaseFlow[];
  /** Downloads over the same bottleneck. */
  readonly tcp?: readonly CrossTcpOptions[];
  /** Added to the forward link, as text for `parseLink`. */
  readonly link?: string;
  /** Each way at the bottleneck; 50 ms. */
  readonly delay?: Millis;
  /** Drop-tail queue in time at the rate of the link; 300 ms. */
  readonly queue?: Millis;
  /** What it must show, by name. */
  readonly expects: (run: CaseRun) => Readonly<Record<string, Verdict>>;
}

/** The queue of a step is as long in time as that of any other. */
function capacity(kbps: number, queue: Millis): string {
  return `rate=${kbps}kbit qbytes=${Math.round((kbps * queue) / 8)}`;
}

export function runCase(what: Case, seed: number): CaseRun {
  const { steps, flows: flowOptions, delay = DELAY, queue = QUEUE } = what;
  const world = new World();
  const path = world.add(new Path(`delay=${delay} ${what.link ?? ""}`, `delay=${delay}`, seed));
  for (const { at, kbps, backKbps } of steps) {
    world.at(at, () => path.forward.set(capacity(kbps, queue)));
    if (backKbps !== undefined) world.at(at, () => path.backward.set(capacity(backKbps, queue)));
  }
  const tcps = (what.tcp ?? []).map((options) => world.add(new CrossTcp(path, options)));
  const flows = flowOptions.map(({ extraDelay = 0, ...options }, i) => {
    const way = extraDelay > 0 ? world.add(new Branch(path, extraDelay)) : path;
    return world.add(new Flow(way, seed + i, { stopAt: what.until, ...options }));
  });
  // What is under way at the end is not lost.
  world.run(what.until + LAST_ARRIVALS);
  return new CaseRun(what, flows, tcps);
}

/** What happened; times in ms, rates in kbit/s. Of flows, those that go ahead unless said otherwise. */
export class CaseRun {
  readonly case: Case;
  readonly flows: readonly Flow[];
  readonly tcps: readonly CrossTcp[];

  constructor(what: Case, flows: readonly Flow[], tcps: readonly CrossTcp[]) {
    this.case = what;
    this.flows = flows;
    this.tcps = tcps;
  }

  /** Flows one way: their places in the case. */
  way(reverse = false): number[] {
    return this.flows.flatMap((_, i) => ((this.case.flows[i]!.reverse ?? false) === reverse ? [i] : []));
  }

  /** Capacity at `time`. */
  capacity(time: Millis, reverse = false): number {
    let found = 0;
    for (const { at, kbps, backKbps } of this.case.steps) if (at <= time) found = reverse ? (backKbps ?? found) : kbps;
    return found;
  }

  throughput(flow: number, from: Millis, to: Millis): number {
    return this.flows[flow]!.record.throughput(from, to) / 1000;
  }

  /** Of the link, by media. */
  utilisation(from: Millis, to: Millis, reverse = false): number {
    const carried = this.way(reverse).reduce((sum, flow) => sum + this.throughput(flow, from, to), 0);
    return (carried * (to - from)) / this.#carriable(from, to, reverse);
  }

  /** Of the link, by the cross traffic's data. */
  tcpUtilisation(from: Millis, to: Millis): number {
    let bytes = 0;
    for (const { receivedBytes } of this.tcps) for (let t = from; t < to; t += SAMPLE) bytes += receivedBytes[t / SAMPLE] ?? 0;
    return (bytes * 8) / this.#carriable(from, to, false);
  }

  /** 95 % of the packets of each flow waited less than this, ms. */
  p95Queue(from: Millis, to: Millis, reverse = false): Millis {
    const { delay = DELAY } = this.case;
    const each = this.way(reverse).map((flow) => {
      return this.flows[flow]!.record.delay(from, to, 0.95) - delay - (this.case.flows[flow]!.extraDelay ?? 0);
    });
    return Math.max(...each);
  }

  /** Lost to the path, in per cent of all packets. */
  lossPercent(from: Millis, to: Millis, reverse = false): number {
    let [sent, lost] = [0, 0];
    for (const flow of this.way(reverse)) {
      const { record } = this.flows[flow]!;
      const packets = record.packets(from, to);
      sent += packets;
      lost += packets * record.loss(from, to);
    }
    return sent === 0 ? 0 : (100 * lost) / sent;
  }

  /** Jain's index over the throughputs: 1 = all the same. */
  jain(from: Millis, to: Millis): number {
    const rates = this.way().map((flow) => this.throughput(flow, from, to));
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    return total ** 2 / (rates.length * rates.reduce((sum, rate) => sum + rate * rate, 0));
  }

  /** From a rise of the capacity at `rise` to the second in which 90 % of it arrive. */
  recovery(rise: Millis, reverse = false): Millis {
    const goal = 0.9 * this.capacity(rise, reverse);
    for (let from = rise; from + SECOND <= this.case.until; from += SAMPLE) {
      if (this.way(reverse).reduce((sum, flow) => sum + this.throughput(flow, from, from + SECOND), 0) >= goal) return from - rise;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Kilobits the link could carry × 1000. */
  #carriable(from: Millis, to: Millis, reverse: boolean): number {
    let bits = 0;
    for (let at = from; at < to; at += SAMPLE) bits += this.capacity(at, reverse) * SAMPLE;
    return bits;
  }
}
