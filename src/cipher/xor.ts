/**
 * kcptun's `xor`: every datagram, nonce and checksum included, XORed with one and the same pad of 1500 bytes. It hides nothing from
 * anybody who sees two datagrams.
 *
 * Source: kcptun.md section 3.
 * Deviations: kcptun leaves in clear what lies beyond the pad; such datagrams are not made and not accepted here.
 */
import { assert } from "../base/assert.ts";
import type { Batch } from "../base/batch.ts";
import { xorKeystream } from "./keystream.ts";
import type { Primitives } from "./primitives.ts";

const PAD_BYTES = 1500;
const SALT = "sH3CIVoF#rWLtJo6";
const ITERATIONS = 32;

export class XorPad {
  readonly datagramBytesMax = PAD_BYTES;
  readonly #bytes = new Uint8Array(PAD_BYTES);
  readonly #words = new Int32Array(this.#bytes.buffer);

  /** The pad is derived from the key, which is not kept. */
  constructor(key: Uint8Array, primitives: Primitives) {
    this.#bytes.set(primitives.pbkdf2Sha1(key, SALT, ITERATIONS, PAD_BYTES));
  }

  /** Packets from…batch.length−1, each at most 1500 bytes long, in place. */
  encrypt(batch: Batch, from: number): void {
    for (let i = from; i < batch.length; i++) {
      assert(batch.end[i]! - batch.start[i]! <= PAD_BYTES, "a datagram longer than the pad of xor");
      this.decrypt(batch, batch.start[i]!, batch.end[i]!);
    }
  }

  /** Packet start…end of at most 1500 bytes in place. Encryption is the same. */
  decrypt({ view }: Batch, start: number, end: number): void {
    xorKeystream(view, start, end, this.#words, this.#bytes);
  }
}
