/** Forwards and flows over time: what they count becomes rates. */
import type { DatapathStats, Flow, ForwardStats } from "../forward/datapath.ts";
import { Series } from "./series.ts";

/** Pictures that are remembered for bars. */
const HISTORY = 120;

export interface ForwardRow {
  readonly name: string;
  readonly stats: ForwardStats;
  /** A second, in both directions; NaN before the second picture. */
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bitsIn: number;
  readonly bitsOut: number;
  readonly dropped: number;
}

export interface FlowRow {
  readonly flow: Flow;
  readonly bitsIn: number;
  readonly bitsOut: number;
}

export class ForwardTrack {
  /** Bits a second of all forwards. */
  readonly in = new Series(HISTORY);
  readonly out = new Series(HISTORY);
  rows: readonly ForwardRow[] = [];
  flowRows: readonly FlowRow[] = [];
  flows = 0;
  #stats: ReadonlyMap<string, ForwardStats> = new Map();
  #flows: ReadonlyMap<string, Flow> = new Map();
  #at = Number.NaN;
  #flowsAt = Number.NaN;

  /** `names`: of all forwards, those that never had a datagram too; `seconds` on any clock that only rises. */
  update(names: readonly string[], { forwards }: DatapathStats, seconds: number): void {
    const period = seconds - this.#at;
    const rate = (now: number, before: number | undefined): number => Math.max(0, (now - (before ?? 0)) / period);
    this.rows = names.map((name) => {
      const stats = forwards.get(name) ?? NONE;
      const before = this.#stats.get(name);
      return {
        name,
        stats,
        packetsIn: rate(stats.packetsIn, before?.packetsIn),
        packetsOut: rate(stats.packetsOut, before?.packetsOut),
        bitsIn: 8 * rate(stats.bytesIn, before?.bytesIn),
        bitsOut: 8 * rate(stats.bytesOut, before?.bytesOut),
        dropped: rate(droppedOf(stats), before === undefined ? undefined : droppedOf(before)),
      };
    });
    this.#stats = forwards;
    this.#at = seconds;
    this.flows = [...forwards.values()].reduce((sum, { flows }) => sum + flows, 0);
    this.in.push(this.rows.reduce((sum, { bitsIn }) => sum + bitsIn, 0));
    this.out.push(this.rows.reduce((sum, { bitsOut }) => sum + bitsOut, 0));
  }

  updateFlows(flows: readonly Flow[], seconds: number): void {
    const period = seconds - this.#flowsAt;
    const before = this.#flows;
    this.flowRows = flows.map((flow) => {
      const known = before.get(keyOf(flow));
      const rate = (now: number, then: number | undefined): number =>
        then === undefined ? Number.NaN : Math.max(0, (8 * (now - then)) / period);
      return { flow, bitsIn: rate(flow.bytesIn, known?.bytesIn), bitsOut: rate(flow.bytesOut, known?.bytesOut) };
    });
    this.#flows = new Map(flows.map((flow) => [keyOf(flow), flow]));
    this.#flowsAt = seconds;
  }
}

function keyOf({ source, listen }: Flow): string {
  return `${source} ${listen}`;
}

function droppedOf({ denied, limited, refused }: ForwardStats): number {
  return denied + limited + refused;
}

const NONE: ForwardStats = { flows: 0, packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0, denied: 0, limited: 0, refused: 0 };
