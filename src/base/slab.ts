/**
 * Small pieces of memory out of large ones: what comes thousands of times a second and stays for a moment costs the collector one object for many. A piece
 * keeps the whole block alive for as long as it lives itself.
 */
import type { Bytes } from "./units.ts";

/** Tuning. */
const BLOCK_BYTES: Bytes = 65_536;
/** Larger pieces have memory of their own. */
const PIECE_BYTES_MAX: Bytes = BLOCK_BYTES / 4;

export class Slab {
  #block: Uint8Array = new Uint8Array(0);
  #used: Bytes = 0;

  /** Zeroed, the caller's for ever. */
  take(bytes: Bytes): Uint8Array {
    if (bytes > PIECE_BYTES_MAX) return new Uint8Array(bytes);
    if (this.#used + bytes > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = at + bytes;
    return this.#block.subarray(at, this.#used);
  }
}
