/**
 * How fast to play so that the viewer is as close to the live edge as the network allows, and no closer.
 *
 * What decides is the least buffer of the last seconds: as long as it stays above a margin, the playhead may come nearer; below it, the playhead steps
 * back. The margin follows from what the network did in the last minutes: when media came later than usual, half as much again must be buffered for the
 * next time. A stall, for which the margin was too small, doubles it; all of it is forgotten slowly.
 */
import { LeastBySecond } from "./least-by-second.ts";

export class Pace {
  #marginMs = MARGIN_MIN;
  #stalls = 0;
  #changedAt = 0;
  readonly #buffer = new LeastBySecond(WINDOW_SECONDS);
  /** The end of the buffer on the media's timeline less the time of day: the later media comes, the less it is. */
  readonly #arrival = new LeastBySecond(USUAL_SECONDS);

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
    const wanted = Math.min(MARGIN_MAX, LATE_FACTOR * lateMs);
    if (stalls > this.#stalls) {
      this.#marginMs = Math.min(MARGIN_MAX, this.#marginMs * MARGIN_GROWTH);
      this.#changedAt = now;
      this.#stalls = stalls;
    } else if (wanted > this.#marginMs) {
      this.#marginMs = wanted;
      this.#changedAt = now;
    } else if (this.#marginMs > MARGIN_MIN && now - this.#changedAt > CALM_MS) {
      this.#marginMs = Math.max(MARGIN_MIN, this.#marginMs * MARGIN_DECAY);
      this.#changedAt = now;
    }
  }
}

const WINDOW_SECONDS = 3;
const USUAL_SECONDS = 15;
/** A lost packet over a long link is repaired within two round trips: so much must be there before anything was learnt. */
const MARGIN_MIN = 400;
const MARGIN_MAX = 3000;
const MARGIN_GROWTH = 2;
const MARGIN_DECAY = 0.85;
const LATE_FACTOR = 1.5;
/** After so long without a stall or anything later, the margin shrinks a little. */
const CALM_MS = 10_000;
const DEAD_BAND = 40;
/** Change of rate for each millisecond too much or too little. */
const GAIN = 0.0003;
/** Ears take no offence at these. */
const RATE_MAX = 1.12;
const RATE_MIN = 0.94;
