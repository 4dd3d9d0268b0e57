/**
 * Salsa20 with 20 rounds over datagrams whose first 8 bytes are the nonce and travel in clear.
 *
 *   0         8                        state, 16 words little endian: "expa" k0…k3 "nd 3" n0 n1 c0 c1 "2-by" k4…k7 "te k"
 *   +---------+---------------- …      keystream block i is the state with c = i, mixed, plus itself
 *   | nonce   | text ⊕ keystream
 *   +---------+---------------- …
 *
 * Source: Bernstein, "Salsa20 specification" (2005); kcptun.md section 3.
 * Deviations: the upper half of the block counter stays 0, since no datagram has 2^32 blocks.
 */
import { assert } from "../base/assert.ts";
import type { Batch } from "../base/batch.ts";
import { xorKeystream } from "./keystream.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 8;
const BLOCK_BYTES = 64;
const DOUBLE_ROUNDS = 10;
/** "expand 32-byte k". */
const CONSTANTS: readonly number[] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const NONCE_WORD = 6;
const COUNTER_WORD = 8;

export class Salsa20 {
  readonly #state = new Int32Array(BLOCK_BYTES / 4);
  readonly #keystream = new Int32Array(BLOCK_BYTES / 4);
  readonly #keystreamBytes = new Uint8Array(this.#keystream.buffer);

  /** Key of 32 bytes, copied. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, `a Salsa20 key has ${KEY_BYTES} bytes here, not ${key.length}`);
    const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES);
    for (let i = 0; i < 4; i++) {
      this.#state[5 * i] = CONSTANTS[i]!;
      this.#state[1 + i] = view.getInt32(4 * i, true);
      this.#state[11 + i] = view.getInt32(16 + 4 * i, true);
    }
  }

  /** Packets from…batch.length−1, each at least 8 bytes long, in place. */
  encrypt(batch: Batch, from: number): void {
    for (let i = from; i < batch.length; i++) this.decrypt(batch, batch.start[i]!, batch.end[i]!);
  }

  /** Packet start…end in place; needs end − start ≥ 8. Encryption is the same. */
  decrypt({ view }: Batch, start: number, end: number): void {
    const state = this.#state;
    state[NONCE_WORD] = view.getInt32(start, true);
    state[NONCE_WORD + 1] = view.getInt32(start + 4, true);
    state[COUNTER_WORD] = 0;
    for (let at = start + NONCE_BYTES; at < end; at += BLOCK_BYTES) {
      block(state, this.#keystream);
      xorKeystream(view, at, Math.min(at + BLOCK_BYTES, end), this.#keystream, this.#keystreamBytes);
      state[COUNTER_WORD]!++;
    }
  }
}

function turn(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** The columns' quarter rounds, then the rows', on words in local variables: in an array they take three times as long. */
function block(state: Int32Array, into: Int32Array): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  let i = state[8]!;
  let j = state[9]!;
  let k = state[10]!;
  let l = state[11]!;
  let m = state[12]!;
  let n = state[13]!;
  let o = state[14]!;
  let p = state[15]!;
  for (let round = 0; round < DOUBLE_ROUNDS; round++) {
    e ^= turn((a + m) | 0, 7);
    i ^= turn((e + a) | 0, 9);
    m ^= turn((i + e) | 0, 13);
    a ^= turn((m + i) | 0, 18);
    j ^= turn((f + b) | 0, 7);
    n ^= turn((j + f) | 0, 9);
    b ^= turn((n + j) | 0, 13);
    f ^= turn((b + n) | 0, 18);
    o ^= turn((k + g) | 0, 7);
    c ^= turn((o + k) | 0, 9);
    g ^= turn((c + o) | 0, 13);
    k ^= turn((g + c) | 0, 18);
    d ^= turn((p + l) | 0, 7);
    h ^= turn((d + p) | 0, 9);
    l ^= turn((h + d) | 0, 13);
    p ^= turn((l + h) | 0, 18);
    b ^= turn((a + d) | 0, 7);
    c ^= turn((b + a) | 0, 9);
    d ^= turn((c + b) | 0, 13);
    a ^= turn((d + c) | 0, 18);
    g ^= turn((f + e) | 0, 7);
    h ^= turn((g + f) | 0, 9);
    e ^= turn((h + g) | 0, 13);
    f ^= turn((e + h) | 0, 18);
    l ^= turn((k + j) | 0, 7);
    i ^= turn((l + k) | 0, 9);
    j ^= turn((i + l) | 0, 13);
    k ^= turn((j + i) | 0, 18);
    m ^= turn((p + o) | 0, 7);
    n ^= turn((m + p) | 0, 9);
    o ^= turn((n + m) | 0, 13);
    p ^= turn((o + n) | 0, 18);
  }
  add(state, into, a, b, c, d, 0);
  add(state, into, e, f, g, h, 4);
  add(state, into, i, j, k, l, 8);
  add(state, into, m, n, o, p, 12);
}

function add(state: Int32Array, into: Int32Array, a: number, b: number, c: number, d: number, at: number): void {
  into[at] = a + state[at]!;
  into[at + 1] = b + state[at + 1]!;
  into[at + 2] = c + state[at + 2]!;
  into[at + 3] = d + state[at + 3]!;
}
