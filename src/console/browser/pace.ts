/**
 * How fast to play so that the viewer is as close to the live edge as the network allows, and no closer.
 *
 *   media   ──────────────●─────────────────────┤                              ● playhead   ┤ end of the buffer
 *   age                   │◀─ margin ─▶│◀ usual ▶│ just before a part comes
 *
 * The older the end of the buffer grows before the next part extends it, the further from the edge the playhead must stay: by as much as is usual (a part's duration
 * and its way) and by a margin: what the browser wants to have decoded, and what the network did in the last minutes: by as much as media came later than usual, a
 * quarter as much again must be there for the next time. Where the picture stood still the margin was too small by a half, whatever was measured. While it is
 * being learnt the margin comes down from that of a bad network.
 */
import { LeastBySecond } from "./least-by-second.ts";

export class Pace {
  #marginMs = MARGIN_FIRST;
  #hitches = 0;
  #rate = 1;
  #begunAt = Number.NaN;
  /** Where the buffer ended when it was last looked at; NaN: not known of this timeline. */
  #endMs = Number.NaN;
  /** The end of the buffer on the media's timeline less the time of day: the later media comes, the less it is. */
  #arrival = new LeastBySecond(USUAL_SECONDS);
  /** How much later than usual it came, negative. */
  readonly #late = new LeastBySecond(MEMORY_SECONDS);

  get marginMs(): number {
    return this.#marginMs;
  }

  /** The buffer was extended and ends at `endMs` of the media's timeline now: what was before it was never older than at this moment. `now` in ms. */
  extended(now: number, endMs: number): void {
    if (endMs > this.#endMs) this.#arrival.put(now, this.#endMs - now);
    this.#endMs = endMs;
  }

  /** The media's timeline and the time of day have another distance from now on: what is usual must be learnt anew, what may come late need not. */
  restart(): void {
    this.#endMs = Number.NaN;
    this.#arrival = new LeastBySecond(USUAL_SECONDS);
  }

  /**
   * The playback rate, told several times a second where the playhead is and how much is buffered before it (both in ms of media), and how often the
   * picture has stood still. `now` in ms.
   */
  rate(now: number, playheadMs: number, bufferMs: number, hitches: number): number {
    this.#endMs = playheadMs + bufferMs;
    this.#arrival.put(now, this.#endMs - now);
    const usual = this.#arrival.median;
    this.#adapt(now, usual - this.#arrival.last, hitches);
    const spare = now - playheadMs + usual - this.#marginMs;
    this.#choose(spare);
    return this.#rate;
  }

  /** In steps, and only where it matters: with each change of rate the browser may drop a frame. */
  #choose(spare: number): void {
    const off = Math.abs(spare);
    if (this.#rate === 1 ? off < DEAD_BAND : off < REACHED || spare > 0 !== this.#rate > 1) {
      this.#rate = 1;
      return;
    }
    const wanted = Math.max(RATE_MIN, Math.min(RATE_MAX, 1 + spare * GAIN));
    if (this.#rate === 1 || Math.abs(wanted - this.#rate) > RATE_STEP) this.#rate = wanted;
  }

  #adapt(now: number, lateMs: number, hitches: number): void {
    if (Number.isNaN(this.#begunAt)) this.#begunAt = now;
    const short = hitches > this.#hitches;
    this.#hitches = hitches;
    this.#late.put(now, -Math.max(0, lateMs, short ? (MARGIN_GROWTH * this.#marginMs - DECODED) / LATE_FACTOR : 0));
    const learning = Math.max(0, 1 - (now - this.#begunAt) / LEARN_MS);
    this.#marginMs = Math.min(MARGIN_MAX, DECODED + Math.max(learning * (MARGIN_FIRST - DECODED), -LATE_FACTOR * this.#late.least));
  }
}

const USUAL_SECONDS = 15;
/** So long what came late is remembered. */
const MEMORY_SECONDS = 300;
/** A lost packet over a long link is repaired within two round trips: so much must be there before anything was learnt, which takes so long. */
const MARGIN_FIRST = 400;
const LEARN_MS = 30_000;
/** What its decoders and its sound device hold already: Chromium 156 stops when there is less than 0.07 to 0.1 s before it, and drops a frame now and then below 0.12. */
const DECODED = 130;
const MARGIN_MAX = 3000;
const MARGIN_GROWTH = 1.5;
const LATE_FACTOR = 1.25;
/** The playhead is where it should be, to begin with a correction and to end it. */
const DEAD_BAND = 25;
const REACHED = 5;
/** A smaller change of rate is not worth one. */
const RATE_STEP = 0.025;
/** Change of rate for each millisecond too much or too little. */
const GAIN = 0.0005;
/** Ears take no offence at these. */
const RATE_MAX = 1.12;
const RATE_MIN = 0.94;
