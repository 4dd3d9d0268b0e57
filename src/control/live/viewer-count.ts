/** How many play a channel: whoever fetched something a moment ago. Joining shows at once, leaving after a while (reference/aws-live.md 3: 15 s and 60 s). */
import type { Millis } from "../../base/units.ts";

const AWAY_MS: Millis = 20_000;

export class ViewerCount {
  readonly #max: number;
  readonly #seen = new Map<string, Map<string, number>>();
  readonly counters = { forgotten: 0 };

  /** `max` viewers of one channel are told apart. */
  constructor(max = 100_000) {
    this.#max = max;
  }

  /** `who` fetched something; in the order of when they were seen last, the longest ago first. */
  see(channel: string, who: string, now: number): void {
    const seen = this.#seen.get(channel) ?? new Map<string, number>();
    this.#seen.set(channel, seen);
    seen.delete(who);
    if (seen.size >= this.#max) {
      seen.delete(seen.keys().next().value!);
      this.counters.forgotten++;
    }
    seen.set(who, now);
  }

  /** Of all channels. */
  total(now: number): number {
    let sum = 0;
    for (const channel of this.#seen.keys()) sum += this.count(channel, now);
    return sum;
  }

  count(channel: string, now: number): number {
    const seen = this.#seen.get(channel);
    if (seen === undefined) return 0;
    for (const [who, at] of seen) {
      if (at >= now - AWAY_MS) break;
      seen.delete(who);
    }
    if (seen.size === 0) this.#seen.delete(channel);
    return seen.size;
  }
}
