/**
 * Places in a table of the kernel's: taken, given back, and used again only after a while, since a packet may just be reading one.
 *
 * Several in a row can be had. The search goes on where the last one ended, so that a place is used again as late as possible.
 */
import { HostError } from "../../base/errors.ts";

export class Slots {
  readonly #name: string;
  readonly #used: Uint8Array;
  #next: number;
  #free: number;
  #freed: { at: number; count: number }[] = [];
  #resting: { at: number; count: number }[] = [];

  /** Places `first`…size−1; those below mean "none" to the program. */
  constructor(name: string, size: number, first = 0) {
    this.#name = name;
    this.#used = new Uint8Array(size).fill(1, 0, first);
    this.#next = first;
    this.#free = size - first;
  }

  get free(): number {
    return this.#free;
  }

  /** Whether some were given back and cannot be had yet. */
  get isResting(): boolean {
    return this.#freed.length + this.#resting.length > 0;
  }

  isUsed(at: number): boolean {
    return this.#used[at] !== 0;
  }

  /** @throws HostError when so many in a row are not free */
  take(count = 1): number {
    const size = this.#used.length;
    let at = this.#next;
    if (count === 1 && this.#used[at] === 0) {
      this.#used[at] = 1;
      this.#free--;
      this.#next = at + 1;
      return at;
    }
    let run = 0;
    for (let steps = 0; steps < size + count && count <= this.#free; steps++) {
      if (at >= size) {
        at = 0;
        run = 0;
      }
      run = this.#used[at] === 0 ? run + 1 : 0;
      at++;
      if (run < count) continue;
      this.#used.fill(1, at - count, at);
      this.#free -= count;
      this.#next = at;
      return at - count;
    }
    throw new HostError("ENOSPC", "bpf", `table ${this.#name} has no ${count} free places in a row of its ${size}`);
  }

  /** One for each of the first `rows` of a column that has none (−1). @throws HostError when there are not enough; those before have theirs then */
  takeEach(column: Int32Array, rows: number): void {
    const used = this.#used;
    let next = this.#next;
    for (let row = 0; row < rows; row++) {
      if (column[row] !== -1) continue;
      if (used[next] !== 0) {
        this.#next = next;
        column[row] = this.take();
        next = this.#next;
        continue;
      }
      used[next] = 1;
      this.#free--;
      column[row] = next++;
    }
    this.#next = next;
  }

  /** As if they had been taken: what an earlier process left. */
  claim(at: number, count = 1): void {
    for (let i = at; i < Math.min(at + count, this.#used.length); i++) {
      if (this.#used[i] === 0) this.#free--;
      this.#used[i] = 1;
    }
  }

  /** They can be had again after the second `rest` from now. */
  give(at: number, count = 1): void {
    this.#freed.push({ at, count });
  }

  /** To be called when all packets that were under way are through. */
  rest(): void {
    for (const { at, count } of this.#resting) {
      for (let i = at; i < at + count; i++) {
        this.#free += this.#used[i]!;
        this.#used[i] = 0;
      }
    }
    this.#resting = this.#freed;
    this.#freed = [];
  }
}
