/** Unpredictable nonces drawn from a pool that is refilled in one call, because asking the machine packet by packet costs more than sealing. */
import type { Primitives } from "./primitives.ts";

/** A batch of 64 packets empties a quarter of it. */
const POOL_BYTES = 4096;

export class NoncePool {
  readonly #random: (into: Uint8Array) => void;
  readonly #pool = new Uint8Array(POOL_BYTES);
  readonly #view = new DataView(this.#pool.buffer);
  #next = POOL_BYTES;

  constructor(primitives: Primitives) {
    this.#random = (into) => primitives.random(into);
  }

  /** Writes `bytes` fresh random bytes, a multiple of 4, to `view` at `at`. No byte of the pool is given out twice. */
  draw(view: DataView, at: number, bytes: number): void {
    if (this.#next + bytes > POOL_BYTES) {
      this.#random(this.#pool);
      this.#next = 0;
    }
    const first = this.#next;
    for (let i = 0; i < bytes; i += 4) view.setInt32(at + i, this.#view.getInt32(first + i, true), true);
    this.#next = first + bytes;
  }
}
