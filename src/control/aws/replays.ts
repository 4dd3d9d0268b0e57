/**
 * Signatures that were used. Two requests made within one second may rightly carry the same signature, for nothing in what is signed need differ; one that
 * comes again when that second has long passed was copied.
 */
import type { Millis } from "../../base/units.ts";

/** As long as a request may be under way before it counts as late. */
const TRAVEL_MS: Millis = 5000;

export class Replays {
  readonly #seen = new Map<string, number>();
  readonly #window: Millis;
  readonly #max: number;
  readonly counters = { replayed: 0, forgotten: 0 };

  /** `window`: signatures older than this are refused for their age; `max` of them remembered, the oldest forgotten. */
  constructor(window: Millis, max = 200_000) {
    this.#window = window;
    this.#max = max;
  }

  /** A valid signature made at `signedAt` arrives at `now` (Unix ms); false: it is a copy. */
  fresh(signature: string, signedAt: number, now: number): boolean {
    for (const [old, at] of this.#seen) {
      if (at >= now - this.#window && this.#seen.size <= this.#max) break;
      if (at >= now - this.#window) this.counters.forgotten++;
      this.#seen.delete(old);
    }
    const known = this.#seen.has(signature);
    if (known && now - signedAt > TRAVEL_MS) {
      this.counters.replayed++;
      return false;
    }
    if (!known) this.#seen.set(signature, Math.max(now, signedAt));
    return true;
  }
}
