/**
 * How much round trips differ on a path that has no queue for what is sent: of segments that leave behind a pause, long enough for the queue that those before met, by
 * how much the next one of them differs. A queue that others fill stands, or grows and falls slowly, and does not count.
 */
import type { Millis } from "../base/units.ts";

/** Tuning: a pause of ours; and what is noise of timers. */
const PAUSE_MS: Millis = 4;
/** By then a queue has let go what met it, though segments of ours are what fills it. */
const EMPTIED = 0.8;
const NOISE_SHARE = 1 / 64;
const TIMERS_MS: Millis = 3;
const SAMPLES_LEAST = 4;
const KNOWN_MS: Millis = 10_000;

export class RttNoise {
  #noise: Millis = 0;
  #samples = 0;
  /** Of the newest transmission of which a round trip is known; and by how much that is above the least. */
  #sentAt: Millis = Number.NEGATIVE_INFINITY;
  #above: Millis = 0;
  /** Of the last one behind a pause. */
  #paused: Millis = 0;
  #pausedAt: Millis = Number.NEGATIVE_INFINITY;

  /** On average, beyond what timers do; 0 while too little is known, or nothing of late. */
  at(now: Millis): Millis {
    return this.#samples < SAMPLES_LEAST || now - this.#pausedAt > KNOWN_MS ? 0 : Math.max(0, this.#noise - TIMERS_MS);
  }

  /**
   * The round trip of what was sent at `sentAt`, by how much it is `above` the least there was, and how far `apart` the likes of it arrive at least: what leaves so had
   * no pause.
   */
  sample(sentAt: Millis, above: Millis, apart: Millis): void {
    const after = sentAt - this.#sentAt;
    if (after < 0) return;
    if (after >= Math.max(PAUSE_MS, apart) && this.#above <= EMPTIED * after) {
      if (sentAt - this.#pausedAt > KNOWN_MS) this.#samples = 0;
      else this.#noise += (Math.abs(above - this.#paused) - this.#noise) * Math.max(NOISE_SHARE, 1 / ++this.#samples);
      this.#paused = above;
      this.#pausedAt = sentAt;
    }
    this.#sentAt = sentAt;
    this.#above = above;
  }
}
