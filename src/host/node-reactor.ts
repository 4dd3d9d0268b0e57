/** What the sockets of `loop-node.ts` need of their loop. */
import type { Millis } from "../base/units.ts";
import type { LoopCounters } from "./loop-counters.ts";
import type { Resource } from "./reactor.ts";

export interface NodeReactor {
  readonly counters: LoopCounters;
  readonly resources: Set<Resource>;
  /** Calls the task in the next round, which follows within this turn of Node's event loop. */
  later(task: (now: Millis) => void): void;
  /** Does a round at once, unless one is being done. */
  round(): void;
}
