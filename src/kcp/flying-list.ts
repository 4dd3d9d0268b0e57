/** Transmissions on their way, in the order of their sending: a list over the indexes of their owner's tables. */

const NONE = -1;

export class FlyingList {
  /** The oldest, −1 when there is none. */
  first = NONE;
  #last = NONE;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  /** `links`: two for each index; borrowed as long as the list lives. */
  constructor(links: Int32Array) {
    this.#next = links.subarray(0, links.length / 2);
    this.#previous = links.subarray(links.length / 2);
  }

  /** The one sent after `f`, −1 when that is the newest. */
  next(f: number): number {
    return this.#next[f]!;
  }

  append(f: number): void {
    this.#next[f] = NONE;
    this.#previous[f] = this.#last;
    if (this.#last === NONE) this.first = f;
    else this.#next[this.#last] = f;
    this.#last = f;
  }

  remove(f: number): void {
    const next = this.#next[f]!;
    const previous = this.#previous[f]!;
    if (previous !== NONE) this.#next[previous] = next;
    else this.first = next;
    if (next !== NONE) this.#previous[next] = previous;
    else this.#last = previous;
  }
}
