/** A series of LOADs that leaves: packets of one size, spread evenly over their time. */
import type { Bytes, Millis } from "../base/units.ts";
import { writeLoad } from "./survey-message.ts";

export interface LoadPlan {
  /** 0…255. */
  readonly series: number;
  readonly size: Bytes;
  /** At least 1. */
  readonly packets: number;
  /** 0: all at once. */
  readonly overMs: Millis;
  /** When the first one leaves. */
  readonly from: Millis;
}

/** A deadline that is met must find something due. */
const ROUNDING = 1e-6;

export class LoadSeries {
  readonly plan: LoadPlan;
  sent = 0;

  constructor(plan: LoadPlan) {
    this.plan = plan;
  }

  /** Packets that have left or should have by `now`. */
  due(now: Millis): number {
    const { packets, overMs, from } = this.plan;
    if (now < from) return 0;
    return overMs === 0 ? packets : Math.min(packets, 1 + Math.floor(((now - from) / overMs) * packets + ROUNDING));
  }

  /** When the next one is due. */
  deadline(): Millis {
    const { packets, overMs, from } = this.plan;
    return from + (overMs * this.sent) / packets;
  }

  get isOver(): boolean {
    return this.sent >= this.plan.packets;
  }

  /** Writes the next one to bytes[at…); answers its length. */
  write(now: Millis, bytes: Uint8Array, view: DataView, at: number, conv: number): Bytes {
    const { series, size } = this.plan;
    return writeLoad(bytes, view, at, conv, { series, n: this.sent++, micros: Math.round(now * 1000) % 2 ** 32 }, size);
  }
}
