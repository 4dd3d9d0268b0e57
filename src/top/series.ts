/** The newest values of a figure, NaN where it was not known. */
export class Series {
  readonly #values: number[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  push(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#most) this.#values.shift();
  }

  /** Oldest first. */
  get values(): readonly number[] {
    return this.#values;
  }

  /** NaN before the first. */
  get newest(): number {
    return this.#values.at(-1) ?? Number.NaN;
  }
}
