/**
 * QPP, the quantum permutation pad of kcptun (`--QPP`): substitution of bytes along a pseudo-random row of permutations.
 *
 *   out[n] = pad[(r & 0xffff) mod count] [ in[n] ⊕ byte (n mod 8) of r ]      r = the next number of xoshiro256** every 8 bytes
 *
 * It lies between TCP and smux, each stream and each direction for itself. All of them start with the same seed and so go the same way:
 * what it adds to the cipher below is obfuscation, not secrecy.
 *
 * Source: kcptun.md section 8; known answers of qpp v1.1.25.
 */
import { PAD_BYTES, type QppPads } from "./pads.ts";
import { Xoshiro256 } from "./xoshiro256.ts";

export { PADS_MAX, QppPads } from "./pads.ts";
export type { Primitives } from "./primitives.ts";

/** Both directions of one stream. */
export class Qpp {
  readonly #pads: QppPads;
  readonly #write: Keystream;
  readonly #read: Keystream;

  /** `pads` are shared by all streams. */
  constructor(pads: QppPads) {
    this.#pads = pads;
    this.#write = new Keystream(pads);
    this.#read = new Keystream(pads);
  }

  /** Encrypts the next bytes[start…end) that are written to the stream, in place. Pieces may be of any length. */
  encrypt(bytes: Uint8Array, start: number, end: number): void {
    const { forward } = this.#pads;
    const stream = this.#write;
    for (let at = start; at < end; at++) {
      const mask = stream.next();
      bytes[at] = forward[stream.pad + (bytes[at]! ^ mask)]!;
    }
  }

  /** Decrypts the next bytes[start…end) that were read from the stream, in place. Any bytes at all decrypt to something. */
  decrypt(bytes: Uint8Array, start: number, end: number): void {
    const { backward } = this.#pads;
    const stream = this.#read;
    for (let at = start; at < end; at++) {
      const mask = stream.next();
      bytes[at] = backward[stream.pad + bytes[at]!]! ^ mask;
    }
  }
}

/** Where one direction has got to. */
class Keystream {
  /** Where the pad of the current 8 bytes begins. */
  pad = 0;
  readonly #count: number;
  readonly #prng: Xoshiro256;
  /** Bytes of the current number that are left, the next one lowest. */
  #left = 8;
  #low = 0;
  #high = 0;

  constructor({ count, prngSeed }: QppPads) {
    this.#count = count;
    this.#prng = new Xoshiro256(prngSeed);
    this.#draw();
  }

  /** The byte to XOR with next. */
  next(): number {
    if (this.#left === 0) this.#draw();
    if (this.#left === 4) this.#low = this.#high;
    this.#left--;
    const mask = this.#low & 255;
    this.#low >>>= 8;
    return mask;
  }

  #draw(): void {
    const prng = this.#prng;
    prng.next();
    this.#left = 8;
    this.#low = prng.low;
    this.#high = prng.high;
    this.pad = ((prng.low & 0xffff) % this.#count) * PAD_BYTES;
  }
}
