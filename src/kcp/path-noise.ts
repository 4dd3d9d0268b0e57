/**
 * How much the delay of segments differs on a path that has no queue for them, and whether they overtake each other: where they do, a delay tells nothing of a queue, nor
 * a gap of a loss.
 *
 *   sent      │││││                  │││││            so long after those before that a queue has let them all go
 *   came           │ │ │ │ │             ·│ │ │ │ │    the first of them met none: what it took longer than the quickest ever is noise
 */
import { seqDiff } from "../base/seq.ts";
import type { Millis } from "../base/units.ts";

/** Tuning: a pause of the sender. */
const PAUSE_MS: Millis = 4;
const NOISE_SHARE = 1 / 16;
/** Noisy paths have more of it. */
const NOISE_MAX: Millis = 7;
/** Segments that come so much behind one that was sent later: so many within so long are no accident. */
const OVERTAKEN_MS: Millis = 1;
const OVERTAKEN_MAX = 3;
const OVERTAKEN_OVER_MS: Millis = 10_000;

export class PathNoise {
  /** On average. */
  noise: Millis = 0;
  #samples = 0;
  /** Time stamp and delay of the newest segment; Infinity: none yet. */
  #ts = 0;
  #delay: Millis = Number.POSITIVE_INFINITY;
  #overtaken = 0;
  #overtakenAt: Millis = 0;

  /** A segment came that was sent at `ts` of its sender's clock, and took `delay` longer than the quickest. */
  took(now: Millis, ts: number, delay: Millis): void {
    const after = seqDiff(ts, this.#ts);
    const first = this.#delay === Number.POSITIVE_INFINITY;
    if (!first && after < 0) {
      this.overtaken(now, -after);
      return;
    }
    if (after >= PAUSE_MS && this.#delay <= after) this.noise += (delay - this.noise) * Math.max(NOISE_SHARE, 1 / ++this.#samples);
    this.#ts = ts;
    this.#delay = delay;
  }

  /** A segment came so much behind one that was sent later. */
  overtaken(now: Millis, by: Millis): void {
    if (by < OVERTAKEN_MS) return;
    this.#overtaken = 1 + this.#overtaken * 0.5 ** ((now - this.#overtakenAt) / OVERTAKEN_OVER_MS);
    this.#overtakenAt = now;
  }

  /** Delays and gaps tell something. */
  get quiet(): boolean {
    return this.noise <= NOISE_MAX && this.#overtaken < OVERTAKEN_MAX;
  }

  /** Segments have overtaken others. */
  get reorders(): boolean {
    return this.#overtaken >= OVERTAKEN_MAX;
  }
}
