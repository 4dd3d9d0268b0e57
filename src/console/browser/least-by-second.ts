/** The least value of each of the last seconds. */
export class LeastBySecond {
  readonly #values: Float64Array;
  #second = Number.NaN;

  constructor(seconds: number) {
    this.#values = new Float64Array(seconds).fill(Number.NaN);
  }

  /** `now` in ms, never less than before. */
  put(now: number, value: number): void {
    const second = Math.floor(now / 1000);
    const { length } = this.#values;
    if (Number.isNaN(this.#second) || second - this.#second > length) this.#second = second - length;
    while (this.#second < second) {
      this.#second++;
      this.#values[this.#second % length] = Number.NaN;
    }
    const known = this.#values[second % length]!;
    if (!(known <= value)) this.#values[second % length] = value;
  }

  /** Of the second that lasts. */
  get last(): number {
    return this.#values[this.#second % this.#values.length] ?? Number.NaN;
  }

  get least(): number {
    let least = Number.POSITIVE_INFINITY;
    // NaN, a second of which nothing is known, is never less.
    for (const value of this.#values) if (value < least) least = value;
    return least;
  }

  /** Of the seconds' values. */
  get median(): number {
    const known = this.#known().sort();
    return known[known.length >> 1] ?? Number.NaN;
  }

  #known(): Float64Array {
    return this.#values.filter((value) => !Number.isNaN(value));
  }
}
