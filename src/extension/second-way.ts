/**
 * Which way carries copies of what is sent on the one that is taken: of those that answer the quickest, unless that is being filled.
 */
import type { Millis } from "../base/units.ts";

/** Tuning: another way has to be quicker by so much of the round trip. */
const QUICKER = 0.8;
/** A round trip so much longer than the least is a queue; copies wait until half of it is gone. */
const QUEUE_MS: Millis = 60;
const RISE = 0.25;
/** The least round trip is forgotten by so much a millisecond. */
const FORGOTTEN = 0.001;

export class SecondWay {
  /** Index of the way, −1: none. */
  index = -1;
  /** Falls with each quicker round trip and rises slowly, so that jitter is no queue; −1: none was heard of. */
  readonly #rtt: Float64Array;
  readonly #least: Float64Array;
  readonly #heardAt: Float64Array;
  readonly #filled: Uint8Array;

  /** Of so many ways. */
  constructor(count: number) {
    this.#rtt = new Float64Array(count).fill(-1);
    this.#least = new Float64Array(count);
    this.#heardAt = new Float64Array(count);
    this.#filled = new Uint8Array(count);
  }

  /** A probe was answered after `rtt`. */
  heard(now: Millis, index: number, rtt: Millis): void {
    const first = this.#rtt[index]! < 0;
    this.#least[index] = first ? rtt : Math.min(rtt, this.#least[index]! + (now - this.#heardAt[index]!) * FORGOTTEN);
    const level = this.#rtt[index]!;
    this.#rtt[index] = first || rtt < level ? rtt : level + (rtt - level) * RISE;
    this.#heardAt[index] = now;
    const queue = this.#rtt[index]! - this.#least[index]!;
    if (queue > QUEUE_MS) this.#filled[index] = 1;
    else if (queue < QUEUE_MS / 2) this.#filled[index] = 0;
  }

  /** Beside the way `active`, among those that `works` says yes to. */
  choose(active: number, works: (index: number) => boolean): void {
    let best = -1;
    for (let i = 0; i < this.#rtt.length; i++) {
      if (i === active || this.#rtt[i]! < 0 || this.#filled[i] === 1 || !works(i)) continue;
      if (best < 0 || this.#of(i) < this.#of(best)) best = i;
    }
    this.index = best;
  }

  /** Its round trip, with a start for the way that is taken already. */
  #of(index: number): Millis {
    return this.#least[index]! * (index === this.index ? QUICKER : 1);
  }
}
