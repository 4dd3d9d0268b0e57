/** Segments given up as lost, in the order of their numbers: what lies behind the lowest one waits for it. They come nearly in order. */
import { seqDiff } from "../base/seq.ts";
import type { Seq32 } from "../base/units.ts";

const NONE = -1;

export class LostQueue {
  /** Index of the lowest, −1 when there is none. */
  first = NONE;
  #last = NONE;
  /** The one that came last, NONE when it has gone: the search for the next one's place begins there. */
  #lately = NONE;
  readonly #sn: Uint32Array;
  readonly #links: Int32Array;
  /** Where in `#links` the next ones stand, and the previous ones. */
  readonly #next: number;
  readonly #previous: number;

  /** `sn`: numbers by index; `links`, from `at` on: two for each. The owner's, borrowed as long as the queue lives. */
  constructor(sn: Uint32Array, links: Int32Array, at: number) {
    this.#sn = sn;
    this.#links = links;
    this.#next = at;
    this.#previous = at + sn.length;
  }

  /** The next higher one, −1 when there is none. */
  next(f: number): number {
    return this.#links[this.#next + f]!;
  }

  add(f: number): void {
    const before = this.#placeOf(this.#sn[f]!);
    const next = before === NONE ? this.first : this.#links[this.#next + before]!;
    this.#links[this.#previous + f] = before;
    this.#links[this.#next + f] = next;
    if (before === NONE) this.first = f;
    else this.#links[this.#next + before] = f;
    if (next === NONE) this.#last = f;
    else this.#links[this.#previous + next] = f;
    this.#lately = f;
  }

  remove(f: number): void {
    const next = this.#links[this.#next + f]!;
    const previous = this.#links[this.#previous + f]!;
    if (previous === NONE) this.first = next;
    else this.#links[this.#next + previous] = next;
    if (next === NONE) this.#last = previous;
    else this.#links[this.#previous + next] = previous;
    if (this.#lately === f) this.#lately = NONE;
  }

  /** Behind which one `sn` belongs. */
  #placeOf(sn: Seq32): number {
    let place = this.#lately;
    if (place === NONE || seqDiff(sn, this.#sn[place]!) < 0) {
      for (place = this.#last; place !== NONE && seqDiff(this.#sn[place]!, sn) > 0; ) place = this.#links[this.#previous + place]!;
      return place;
    }
    for (
      let next = this.#links[this.#next + place]!;
      next !== NONE && seqDiff(this.#sn[next]!, sn) < 0;
      next = this.#links[this.#next + place]!
    )
      place = next;
    return place;
  }
}
