/** What flow logs need of a thread: flows of accelerators that have them, those that run and those that ended since the last time. Both are bounded, and counted beyond. */
import type { Millis } from "../base/units.ts";
import type { LoggedFlows } from "./edge-messages.ts";
import type { Flow } from "./flow.ts";
import { describe, type FlowObservation } from "./observation.ts";

/** Flows of a window, each way. */
export const LOGGED_MAX = 200_000;

export class EndedFlows {
  readonly #now: () => Millis;
  #ended: FlowObservation[] = [];
  #skipped = 0;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  readonly add = (flow: Flow): void => {
    if (flow.served.accelerator.flowLogs === undefined) return;
    if (this.#ended.length >= LOGGED_MAX) this.#skipped++;
    else this.#ended.push(describe(flow, this.#now()));
  };

  take(flows: Iterable<Flow>, now: Millis): LoggedFlows {
    const running: FlowObservation[] = [];
    let skipped = this.#skipped;
    for (const flow of flows) {
      if (flow.served.accelerator.flowLogs === undefined) continue;
      if (running.length >= LOGGED_MAX) skipped++;
      else running.push(describe(flow, now));
    }
    const ended = this.#ended;
    this.#ended = [];
    this.#skipped = 0;
    return { running, ended, skipped };
  }
}
