/** A busy machine: its process does not run for a while, again and again, as where neighbours take the processor. */
import type { Prng } from "../src/base/prng.ts";
import type { Millis } from "../src/base/units.ts";

export interface StallTimes {
  /** Mean length of a pause, and mean time between two; both vary exponentially. */
  readonly pause: Millis;
  readonly every: Millis;
}

export class Stalls {
  readonly #prng: Prng;
  readonly #times: StallTimes;
  #begins: Millis;
  #ends: Millis = 0;

  constructor(prng: Prng, times: StallTimes) {
    this.#prng = prng;
    this.#times = times;
    this.#begins = prng.exponential() * times.every;
  }

  /** From when on what is due at `now` is done. */
  until(now: Millis): Millis {
    while (now >= this.#begins) {
      this.#ends = this.#begins + this.#prng.exponential() * this.#times.pause;
      this.#begins = this.#ends + this.#prng.exponential() * this.#times.every;
    }
    return this.#ends;
  }
}
