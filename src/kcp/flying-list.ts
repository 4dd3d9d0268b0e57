/** Transmissions on their way, in the order of their sending: a list over the indexes of their owner's tables. */

const NONE = -1;

export class FlyingList {
  /** The oldest, −1 when there is none. */
  first = NONE;
  /** And the newest. */
  last = NONE;
  readonly #links: Int32Array;
  /** Where in `#links` the next ones stand, and the previous ones. */
  readonly #next: number;
  readonly #previous: number;

  /** `links`, from `at` on: two for each of `places` indexes; borrowed as long as the list lives. */
  constructor(links: Int32Array, at: number, places: number) {
    this.#links = links;
    this.#next = at;
    this.#previous = at + places;
  }

  /** The one sent after `f`, −1 when that is the newest. */
  next(f: number): number {
    return this.#links[this.#next + f]!;
  }

  /** The one sent before `f`, −1 when that is the oldest. */
  previous(f: number): number {
    return this.#links[this.#previous + f]!;
  }

  append(f: number): void {
    this.#links[this.#next + f] = NONE;
    this.#links[this.#previous + f] = this.last;
    if (this.last === NONE) this.first = f;
    else this.#links[this.#next + this.last] = f;
    this.last = f;
  }

  remove(f: number): void {
    const next = this.#links[this.#next + f]!;
    const previous = this.#links[this.#previous + f]!;
    if (previous !== NONE) this.#links[this.#next + previous] = next;
    else this.first = next;
    if (next !== NONE) this.#links[this.#previous + next] = previous;
    else this.last = previous;
  }
}
