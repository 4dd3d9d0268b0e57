/**
 * How many channels may be on the air, and how many viewers there may be, at once and over all channels: IVS's limits "Concurrent Broadcasts" and "Concurrent Viewers". One that
 * is too many is refused, and told of once a minute.
 */
import type { Millis } from "../../base/units.ts";
import type { StreamEvent } from "./events.ts";

export interface ConcurrencyLimits {
  /** 0: no limit. */
  readonly broadcasts: number;
  readonly viewers: number;
}

export class Concurrency {
  readonly #limits: ConcurrencyLimits;
  readonly #tell: (event: StreamEvent) => void;
  readonly #now: () => number;
  readonly #toldAt = { broadcasts: Number.NEGATIVE_INFINITY, viewers: Number.NEGATIVE_INFINITY };
  readonly counters = { broadcasts: 0, viewers: 0 };

  /** `now` in Unix ms. */
  constructor(limits: ConcurrencyLimits, tell: (event: StreamEvent) => void, now: () => number) {
    this.#limits = limits;
    this.#tell = tell;
    this.#now = now;
  }

  /** Whether one more may begin beside so many. */
  admits(kind: keyof ConcurrencyLimits, others: number): boolean {
    const limit = this.#limits[kind];
    if (limit === 0 || others < limit) return true;
    this.counters[kind]++;
    const at = this.#now();
    if (at - this.#toldAt[kind] < TELL_EVERY) return false;
    this.#toldAt[kind] = at;
    const { name, unit } = named[kind];
    const detail = { limit_value: limit, exceeded_by: others + 1 - limit, limit_unit: unit };
    // Of no channel: it is the installation's.
    this.#tell({ at, channelId: "", channelName: "", streamId: "", type: "IVS Limit Breach", name, error: true, detail });
    return false;
  }
}

const TELL_EVERY: Millis = 60_000;
const named = {
  broadcasts: { name: "Concurrent Broadcasts", unit: "active streams" },
  viewers: { name: "Concurrent Viewers", unit: "viewers" },
} as const;
