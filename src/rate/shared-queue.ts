/** What round trips tell of the queue at the bottleneck and of who else fills it: whether it stands, and whether it runs full and empty. */
import type { Millis } from "../base/units.ts";
import { WindowedMax } from "./windowed-max.ts";

/** A standing queue: the shortest round trip of a round is longer than the least by this factor and more. */
const QUEUE_FACTOR = 1.2;
const QUEUE_MS: Millis = 5;
/** A queue that begins to stand: the least round trip of a round grew by an eighth, 4 to 16 ms (RFC 9406). */
const GROWTH_MS_MIN: Millis = 4;
const GROWTH_MS_MAX: Millis = 16;
/** So many rounds in which it stood more than it did not: others keep it full. */
const CROWDED_ROUNDS = 6;
/** A queue overflows where it is as long as it ever was, or nearly: of the longest that a round's shortest round trip was in so long a time that part. */
const LONGEST_MEMORY_MS: Millis = 30_000;
const FULL_SHARE = 0.5;

/** What the round trip grows by when a queue begins to stand. */
export function growthOf(minRtt: Millis): Millis {
  return Math.min(Math.max(minRtt / 8, GROWTH_MS_MIN), GROWTH_MS_MAX);
}

/** A round trip so long shows a standing queue. */
export function stands(rtt: Millis, minRtt: Millis): boolean {
  return rtt > minRtt * QUEUE_FACTOR + QUEUE_MS;
}

export class SharedQueue {
  /** Shortest round trip of the last whole round, 0 when there was none. */
  standing: Millis = 0;
  /** Rounds with a standing queue, less those without. */
  #rounds = 0;
  #least: Millis = 0;
  #empty = true;
  #emptied = false;
  readonly #longest = new WindowedMax(LONGEST_MEMORY_MS);

  /** It has stood for so long that others must keep it full. */
  get crowded(): boolean {
    return this.#rounds >= CROWDED_ROUNDS;
  }

  /** It was full and has been empty since: the least round trip that is known is the path's own. */
  get emptied(): boolean {
    return this.#emptied;
  }

  /** So long a round trip may be that of a full queue: it was hardly longer lately. */
  mayBeFull(rtt: Millis, minRtt: Millis): boolean {
    return rtt - minRtt >= FULL_SHARE * (this.#longest.value - minRtt);
  }

  /** A round is over: its shortest round trip, +∞ when there was none, and the least of all. */
  round(now: Millis, rttMin: Millis, minRtt: Millis): void {
    const growth = growthOf(minRtt);
    this.standing = rttMin === Number.POSITIVE_INFINITY ? 0 : rttMin;
    this.#longest.add(now, this.standing);
    this.#rounds = stands(this.standing, minRtt) ? Math.min(this.#rounds + 1, 2 * CROWDED_ROUNDS) : Math.max(0, this.#rounds - 1);
    if (Math.abs(minRtt - this.#least) > growth) {
      this.#least = minRtt;
      this.#emptied = false;
      this.#empty = true;
    }
    const empty = rttMin <= minRtt + growth;
    if (empty && !this.#empty) this.#emptied = true;
    this.#empty = empty;
  }

  forget(): void {
    this.standing = 0;
    this.#rounds = 0;
    this.#least = 0;
    this.#empty = true;
    this.#emptied = false;
    this.#longest.reset(0, 0);
  }
}
