/** The latency of the last minute: a ring of samples, NaN where there was nothing to measure. */
export class History {
  readonly #values: Float64Array;
  #next = 0;

  constructor(samples: number) {
    this.#values = new Float64Array(samples).fill(Number.NaN);
  }

  push(value: number | undefined): void {
    this.#values[this.#next] = value ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#values.length;
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#values.length; i++) yield this.#values[(this.#next + i) % this.#values.length]!;
  }

  get median(): number | undefined {
    const known = this.#values.filter((value) => !Number.isNaN(value)).sort();
    return known.length === 0 ? undefined : known[known.length >> 1];
  }

  get highest(): number {
    return this.#values.reduce((highest, value) => (value > highest ? value : highest), 0);
  }
}
