/** Where a link stands in its trace. */
import { type Millis, NEVER } from "../base/units.ts";
import type { LinkTrace, TraceEvent } from "./parse.ts";

export class TraceWalk {
  readonly #events: readonly TraceEvent[];
  readonly #loop: Millis;
  /** When the present round began. */
  #began: Millis;
  #index = 0;
  /** Time of the next change, NEVER when there is none. */
  nextAt: Millis;

  constructor(trace: LinkTrace | undefined, direction: "ab" | "ba", startedAt: Millis) {
    this.#events = trace?.events.filter((event) => event.direction === "both" || event.direction === direction) ?? [];
    this.#loop = trace?.loop ?? 0;
    this.#began = startedAt;
    this.nextAt = this.#at(0);
  }

  /** The change that is due. After a long silence whole rounds are passed over: at most the last one is lived through. */
  take(now: Millis): string {
    const { change } = this.#events[this.#index]!;
    this.#index++;
    if (this.#index === this.#events.length && this.#loop > 0) {
      this.#index = 0;
      this.#began += this.#loop * Math.max(1, Math.floor((now - this.#began) / this.#loop));
    }
    this.nextAt = this.#at(this.#index);
    return change;
  }

  #at(index: number): Millis {
    const event = this.#events[index];
    return event === undefined ? NEVER : this.#began + event.at;
  }
}
