/**
 * Which of the last 4,000 sequence numbers of a raw connection were seen. Sequence numbers have 64 bits and start anywhere; they are kept in two halves, so
 * that nothing is allocated. Source: reference udp2raw.md section 4.1.
 */
export class ReplayWindow {
  #high = 0;
  #low = 0;
  readonly #seen = new Uint8Array(WINDOW);

  /** A new connection: whatever comes first is taken. */
  reset(): void {
    this.#high = 0;
    this.#low = 0;
    this.#seen.fill(0);
  }

  /** True once for each number that is not too old. */
  accept(high: number, low: number): boolean {
    const ahead = (high - this.#high) * 2 ** 32 + (low - this.#low);
    if (ahead > 0) {
      if (ahead >= WINDOW) this.#seen.fill(0);
      else for (let i = 1; i < ahead; i++) this.#seen[this.#slot(i)] = 0;
      this.#high = high;
      this.#low = low;
      this.#seen[this.#slot(0)] = 1;
      return true;
    }
    const slot = this.#slot(ahead);
    if (ahead <= -WINDOW || ahead === 0 || this.#seen[slot] === 1) return false;
    this.#seen[slot] = 1;
    return true;
  }

  /** Where the number so far from the highest one is kept. */
  #slot(offset: number): number {
    const highest = ((this.#high % WINDOW) * (2 ** 32 % WINDOW) + (this.#low % WINDOW)) % WINDOW;
    return (highest + offset + 2 * WINDOW) % WINDOW;
  }
}

const WINDOW = 4000;
