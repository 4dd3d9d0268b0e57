/**
 * How fast to play so that the viewer is as close to the live edge as the network allows, and no closer.
 *
 * What decides is the least buffer of the last seconds: as long as it stays above a margin, the playhead may come nearer; below it, the playhead steps
 * back. The margin follows from what the network did in the last minutes: by as much as media came later than usual, half as much again must be buffered for the
 * next time. A stall, for which the margin was too small, counts as if twice as much had been needed. Until something has been learnt the margin is that of a bad
 * network.
 */
import { LeastBySecond } from "./least-by-second.ts";

export class Pace {
  #marginMs = MARGIN_FIRST;
  #stalls = 0;
  #begunAt = Number.NaN;
  readonly #buffer = new LeastBySecond(WINDOW_SECONDS);
  /** The end of the buffer on the media's timeline less the time of day: the later media comes, the less it is. */
  readonly #arrival = new LeastBySecond(USUAL_SECONDS);
  /** How much later than usual it came, negative. */
  readonly #late = new LeastBySecond(MEMORY_SECONDS);

  get marginMs(): number {
    return this.#marginMs;
  }

  /**
   * The playback rate, told several times a second where the playhead is and how much is buffered before it (both in ms of media), and how often playback
   * has stalled. `now` in ms.
   */
  rate(now: number, playheadMs: number, bufferMs: number, stalls: number): number {
    this.#buffer.put(now, bufferMs);
    this.#arrival.put(now, playheadMs + bufferMs - now);
    this.#adapt(now, this.#arrival.median - this.#arrival.last, stalls);
    const spare = this.#buffer.least - this.#marginMs;
    if (spare > DEAD_BAND) return Math.min(RATE_MAX, 1 + spare * GAIN);
    if (spare < -DEAD_BAND) return Math.max(RATE_MIN, 1 + spare * GAIN);
    return 1;
  }

  #adapt(now: number, lateMs: number, stalls: number): void {
    if (Number.isNaN(this.#begunAt)) this.#begunAt = now;
    const short = stalls > this.#stalls;
    this.#stalls = stalls;
    this.#late.put(now, -Math.max(0, lateMs, short ? (MARGIN_GROWTH * this.#marginMs) / LATE_FACTOR : 0));
    const least = now - this.#begunAt < LEARN_MS ? MARGIN_FIRST : MARGIN_MIN;
    this.#marginMs = Math.min(MARGIN_MAX, Math.max(least, -LATE_FACTOR * this.#late.least));
  }
}

const WINDOW_SECONDS = 3;
const USUAL_SECONDS = 15;
/** So long what came late is remembered. */
const MEMORY_SECONDS = 300;
/** A lost packet over a long link is repaired within two round trips: so much must be there before anything was learnt, which takes so long. */
const MARGIN_FIRST = 400;
const LEARN_MS = 15_000;
/** A few looks at the buffer: what lies between two of them is not seen. */
const MARGIN_MIN = 150;
const MARGIN_MAX = 3000;
const MARGIN_GROWTH = 2;
const LATE_FACTOR = 1.5;
const DEAD_BAND = 40;
/** Change of rate for each millisecond too much or too little. */
const GAIN = 0.0003;
/** Ears take no offence at these. */
const RATE_MAX = 1.12;
const RATE_MIN = 0.94;
