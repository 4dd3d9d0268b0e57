/**
 * How fast to play so that the viewer is as close to the live edge as the network allows.
 *
 * What decides is the least buffer of the last seconds: as long as it never falls below a margin, the playhead may come nearer; when it does, or when
 * playback stalls, it must step back. So the distance to the edge follows from the jitter that is really there, not from a guess. The margin grows
 * with every stall and shrinks again while none happens.
 */
export class Pace {
  #marginMs = MARGIN_MIN;
  #stalls = 0;
  #changedAt = 0;
  readonly #least = new Float64Array(WINDOW_SECONDS).fill(Number.POSITIVE_INFINITY);
  #second = -1;

  get marginMs(): number {
    return this.#marginMs;
  }

  /** The playback rate, told several times a second how much is buffered (ms) and how often playback has stalled. `now` in ms. */
  rate(now: number, bufferMs: number, stalls: number): number {
    this.#adapt(now, stalls);
    const second = Math.floor(now / 1000);
    for (; this.#second < second; this.#second++) this.#least[(this.#second + 1) % WINDOW_SECONDS] = Number.POSITIVE_INFINITY;
    const slot = second % WINDOW_SECONDS;
    this.#least[slot] = Math.min(this.#least[slot]!, bufferMs);
    const spare = Math.min(...this.#least) - this.#marginMs;
    if (spare > DEAD_BAND) return Math.min(RATE_MAX, 1 + spare * GAIN);
    if (spare < -DEAD_BAND) return Math.max(RATE_MIN, 1 + spare * GAIN);
    return 1;
  }

  #adapt(now: number, stalls: number): void {
    if (stalls > this.#stalls) {
      this.#marginMs = Math.min(MARGIN_MAX, this.#marginMs * MARGIN_GROWTH);
      this.#changedAt = now;
      this.#stalls = stalls;
    } else if (this.#marginMs > MARGIN_MIN && now - this.#changedAt > CALM_MS) {
      this.#marginMs = Math.max(MARGIN_MIN, this.#marginMs * MARGIN_DECAY);
      this.#changedAt = now;
    }
  }
}

const WINDOW_SECONDS = 3;
const MARGIN_MIN = 200;
const MARGIN_MAX = 3000;
const MARGIN_GROWTH = 2;
const MARGIN_DECAY = 0.9;
/** Without a stall for so long, the margin shrinks a little. */
const CALM_MS = 15_000;
const DEAD_BAND = 40;
/** Change of rate for each millisecond too much or too little. */
const GAIN = 0.0003;
/** Ears take no offence at these. */
const RATE_MAX = 1.12;
const RATE_MIN = 0.94;
