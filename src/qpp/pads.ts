/**
 * The permutation pads of QPP and the seed of its generator, made of the key once for all streams.
 *
 *   key ─ PBKDF2 if shorter than 32 bytes ─▶ seed ─ PBKDF2 of 7 cyclic pieces of 32 bytes ─▶ chunk 0…6 ─ PBKDF2 ─▶ AES-256 key 0…6
 *
 *   pad i:  0…255, shuffled for k = 255…1 by swapping k with j = sum mod (k + 1)
 *           sum = HMAC-SHA256(chunk[i mod 7], "QPP_" + i in binary), before each k encrypted with all seven AES keys in turn, ECB
 *
 *   generator's seed = PBKDF2(HMAC-SHA256(key, "PERMUTATION_MATRIX_SELECTOR"))
 *
 * Source: kcptun.md section 8, as of qpp v1.1.24 (December 2025); earlier versions make other pads.
 * Deviations: all pads are shuffled in lock step, so that one ECB call serves them all.
 */
import { assert } from "../base/assert.ts";
import type { Ecb, Primitives } from "./primitives.ts";

/** Spec. */
const PAD_SALT = "___QUANTUM_PERMUTATION_PAD_SEED_DERIVE___";
const SHUFFLE_SALT = "___QUANTUM_PERMUTATION_PAD_SHUFFLE_SALT___";
const PRNG_SALT = "___QUANTUM_PERMUTATION_PAD_PRNG_SALT___";
const SELECTOR = "PERMUTATION_MATRIX_SELECTOR";
const ITERATIONS = 128;
const CHUNK_ITERATIONS = 1024;
const CHUNK_BYTES = 32;
/** A permutation of 256 values holds 1684 bits, which seven chunks of 256 cover. */
const CHUNKS = 7;
const SUM_BYTES = 32;

export const PAD_BYTES = 256;
/** A pad is chosen by 16 bits. */
export const PADS_MAX = 65_536;

export class QppPads {
  readonly count: number;
  /** Pad i is at 256 × i. Read only. */
  readonly forward: Uint8Array;
  /** Its inverse. Read only. */
  readonly backward: Uint8Array;
  /** 32 bytes for `Xoshiro256`, the same for every stream and direction. Read only. */
  readonly prngSeed: Uint8Array;

  /** `key` is the password as bytes, at least one, not kept; `count` 1…65,536 (kcptun: `--QPPCount`). Takes milliseconds for 61. */
  constructor(key: Uint8Array, count: number, primitives: Primitives) {
    assert(key.length > 0, "QPP needs a key");
    assert(Number.isInteger(count) && count >= 1 && count <= PADS_MAX, `QPP has 1 to ${PADS_MAX} pads, not ${count}`);
    this.count = count;
    this.forward = new Uint8Array(count * PAD_BYTES);
    this.backward = new Uint8Array(count * PAD_BYTES);
    this.#shuffle(chunksOf(key, primitives), primitives);
    for (let at = 0; at < this.forward.length; at += PAD_BYTES) {
      for (let i = 0; i < PAD_BYTES; i++) this.backward[at + this.forward[at + i]!] = i;
    }
    this.prngSeed = primitives.pbkdf2Sha1(primitives.hmacSha256(key, SELECTOR), PRNG_SALT, ITERATIONS, 32);
  }

  #shuffle(chunks: readonly Uint8Array[], primitives: Primitives): void {
    const ciphers: readonly Ecb[] = chunks.map((chunk) => primitives.aesEcb(primitives.pbkdf2Sha1(chunk, SHUFFLE_SALT, ITERATIONS, 32)));
    const { count, forward } = this;
    const sums = new Uint8Array(count * SUM_BYTES);
    const view = new DataView(sums.buffer);
    for (let pad = 0; pad < count; pad++) {
      sums.set(primitives.hmacSha256(chunks[pad % CHUNKS]!, `QPP_${pad.toString(2)}`), pad * SUM_BYTES);
      for (let i = 0; i < PAD_BYTES; i++) forward[pad * PAD_BYTES + i] = i;
    }
    for (let k = PAD_BYTES - 1; k > 0; k--) {
      for (const cipher of ciphers) cipher.encrypt(view, view, sums.length);
      for (let pad = 0; pad < count; pad++) {
        const at = pad * PAD_BYTES;
        const j = at + remainder(view, pad * SUM_BYTES, k + 1);
        const swap = forward[at + k]!;
        forward[at + k] = forward[j]!;
        forward[j] = swap;
      }
    }
  }
}

function chunksOf(key: Uint8Array, { pbkdf2Sha1 }: Primitives): readonly Uint8Array[] {
  const seed = key.length < CHUNK_BYTES ? pbkdf2Sha1(key, PAD_SALT, ITERATIONS, CHUNK_BYTES) : key;
  return Array.from({ length: CHUNKS }, (_, chunk) => {
    const piece = Uint8Array.from({ length: CHUNK_BYTES }, (_, i) => seed[(chunk * CHUNK_BYTES + i) % seed.length]!);
    return pbkdf2Sha1(piece, PAD_SALT, CHUNK_ITERATIONS, CHUNK_BYTES);
  });
}

/** The big-endian number of 256 bits at `at` modulo 2…256, sixteen bits at a time so that every step is a small integer. */
function remainder(view: DataView, at: number, modulus: number): number {
  let rest = 0;
  for (let i = 0; i < SUM_BYTES; i += 2) rest = ((rest << 16) | view.getUint16(at + i)) % modulus;
  return rest;
}
