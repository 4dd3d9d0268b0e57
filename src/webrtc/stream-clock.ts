/** RTP timestamps of one stream on the clock that all streams of a publisher share: the first is laid where its packet came, the others follow by its rate. */
import { SequenceUnwrapper } from "../base/sequence-unwrapper.ts";
import type { Micros } from "../base/units.ts";

export class StreamClock {
  readonly #timestamps = new SequenceUnwrapper(32);
  readonly #rate: number;
  readonly #start: Micros;
  #first = Number.NaN;

  /** `start`: time of the first packet on the shared clock; `rate`: timestamps a second. */
  constructor(start: Micros, rate: number) {
    this.#start = start;
    this.#rate = rate;
  }

  time(timestamp: number): Micros {
    const unwrapped = this.#timestamps.unwrap(timestamp);
    if (Number.isNaN(this.#first)) this.#first = unwrapped;
    return this.#start + Math.round(((unwrapped - this.#first) * 1e6) / this.#rate);
  }
}
