/** A published figure of GCC, to be judged: a row of reference/gcc.md L. What was published is a bound for ours. */
import { LIBWEBRTC } from "../../src/gcc/delay-control.ts";
import { World } from "../world.ts";
import { SECOND } from "./case.ts";
import { Flow, type FlowOptions } from "./flow.ts";
import { Path } from "./path.ts";
import type { Verdict } from "./verdict.ts";

export const K = 1000;

export interface Published {
  readonly id: string;
  readonly what: string;
  readonly source: string;
  /** `mode` is added to the options of the flow: of libwebrtc's own tests each must hold with and without what we do beyond it. */
  readonly judge: (mode: FlowOptions) => Verdict;
  /** libwebrtc's own test: judged a second time in its own mode. */
  readonly own?: boolean;
}

/** As libwebrtc runs: nothing beyond it, and bursts of 40 ms from the pacer. */
export const OWN_MODE: FlowOptions = { extensions: LIBWEBRTC, pacer: { burstTime: 40_000 } };

export interface Call {
  readonly world: World;
  readonly path: Path;
  readonly flow: Flow;
  /** kbit/s. */
  readonly target: () => number;
  readonly share: (from: number, to: number, kbps: number) => number;
}

/** One flow over a link. */
export function call(link: string, back: string, options: FlowOptions): Call {
  const world = new World();
  const path = world.add(new Path(link, back, 1));
  const flow = world.add(new Flow(path, 1, options));
  const share = (from: number, to: number, kbps: number): number => flow.record.throughput(from * SECOND, to * SECOND) / (kbps * K);
  return { world, path, flow, share, target: () => flow.controller.targetRate / K };
}
