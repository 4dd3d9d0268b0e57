/**
 * Rounds of probes: one leaves on each way at the same time, so that their answers can be compared.
 *
 *   a round goes ──▶ first answer, on whatever way ──▶ lag of the others behind it
 *                                    └─ + lag + 2 · lagvar + MARGIN_MS: a way that has not answered by then misses the round
 *
 * What holds up both ends or all ways alike (a machine that is busy, a server that pauses) makes the first answer late, too: nothing is concluded from it.
 */
import { type Millis, NEVER } from "../base/units.ts";

/** Tuning. */
const MARGIN_MS: Millis = 10;
const MISSED = 3;
const MISSED_SPAN_MS: Millis = 40;
/** Rounds that are remembered. */
const ROUNDS = 16;
const NONE = -1;

/** Of one way, behind the first answers of its rounds. */
export class Lag {
  mean: Millis = 0;
  variation: Millis = 0;
  /** Newest round it answered. */
  round = 0;
  #samples = 0;

  sample(round: number, lag: Millis): void {
    if (round > this.round) this.round = round;
    this.variation = this.#samples === 0 ? 0 : this.variation + (Math.abs(lag - this.mean) - this.variation) / 4;
    this.mean = this.#samples++ === 0 ? lag : this.mean + (lag - this.mean) / 8;
  }

  get patience(): Millis {
    return this.mean + 2 * this.variation + MARGIN_MS;
  }
}

export class Rounds {
  /** The newest one. */
  round = 0;
  readonly #begunAt = new Float64Array(ROUNDS);
  /** When the first answer came. */
  readonly #firstAt = new Float64Array(ROUNDS).fill(NONE);

  begin(now: Millis): void {
    const at = ++this.round % ROUNDS;
    this.#begunAt[at] = now;
    this.#firstAt[at] = NONE;
  }

  /** A way answers a round. */
  answered(now: Millis, round: number, lag: Lag): void {
    if (this.round - round >= ROUNDS) return;
    const at = round % ROUNDS;
    if (this.#firstAt[at] === NONE) this.#firstAt[at] = now;
    lag.sample(round, now - this.#firstAt[at]!);
  }

  /** Rounds that the way has missed since it was heard of last. */
  missed(now: Millis, lag: Lag, heardAt: Millis): number {
    let missed = 0;
    for (let round = this.#oldest(lag); round <= this.round; round++) if (this.#missed(now, round, lag, heardAt)) missed++;
    return missed;
  }

  /** It has missed MISSED rounds and more, over so long that no burst of losses took them all. */
  silent(now: Millis, lag: Lag, heardAt: Millis): boolean {
    let missed = 0;
    let first: Millis = now;
    for (let round = this.#oldest(lag); round <= this.round; round++) {
      if (!this.#missed(now, round, lag, heardAt)) continue;
      const begunAt = this.#begunAt[round % ROUNDS]!;
      first = Math.min(first, begunAt);
      if (++missed >= MISSED && begunAt - first >= MISSED_SPAN_MS) return true;
    }
    return false;
  }

  /** When the way is to have answered next, NEVER: nothing is expected. */
  dueAt(now: Millis, lag: Lag): Millis {
    for (let round = this.#oldest(lag); round <= this.round; round++) {
      const due = this.#due(round, lag);
      if (due > now && due !== NEVER) return due;
    }
    return NEVER;
  }

  #missed(now: Millis, round: number, lag: Lag, heardAt: Millis): boolean {
    const due = this.#due(round, lag);
    return due > heardAt && due <= now;
  }

  #oldest(lag: Lag): number {
    return Math.max(lag.round + 1, this.round - ROUNDS + 1);
  }

  #due(round: number, lag: Lag): Millis {
    const first = this.#firstAt[round % ROUNDS]!;
    return first === NONE ? NEVER : first + lag.patience;
  }
}
