/**
 * CFB128 over a batch of packets, each of which starts with a nonce of one block.
 *
 *   C[0] = random          the nonce as it travels
 *   C[i] = P[i] ⊕ E(C[i−1])     the last block is cut short
 *
 * Encryption is a chain within a packet but not across packets, so the batch goes in lock step: block i of all packets in one ECB call.
 * Decryption has no chain: one ECB call a packet, straight from where the packet lies (a foreign call costs less than gathering
 * the batch into one buffer; measured in bench/cipher.ts).
 *
 * Source: kcptun.md sections 3 and 3.1 (NIST SP 800-38A section 6.3 with s = 128).
 * Deviations: kcptun encrypts the nonce under one fixed IV, C[0] = nonce ⊕ E(IV). Nobody reads the nonce, and C[0] is uniformly
 * random either way, so here C[0] itself is drawn, and the receiver does not decrypt it: the IV never enters, and a block less is computed.
 * Words of the keystream are taken in the byte order of the machine, which must be little endian, as every platform of Node here is.
 */
import type { Batch } from "../base/batch.ts";
import type { CfbEncryptor, EcbEncryptor } from "./primitives.ts";

export const BLOCK_BYTES = 16;

/** Packets in lock step; a larger batch goes in several turns. Their registers stay in the first-level cache. */
const LANES = 64;
/** Keystream computed at once when decrypting; longer packets go in several turns. */
const KEYSTREAM_BYTES = 2048;

export class Cfb {
  readonly #ecb: EcbEncryptor;
  readonly #serial: CfbEncryptor | undefined;
  /** Fewer packets than this do not go in lock step. */
  readonly #lanesMin: number;
  /** The previous ciphertext block of each lane, which one ECB call turns into its keystream. */
  readonly #register = new Int32Array((LANES * BLOCK_BYTES) / 4);
  readonly #registerBytes = new Uint8Array(this.#register.buffer);
  /** Where the next block of each lane starts and where its packet ends. */
  readonly #at = new Int32Array(LANES);
  readonly #end = new Int32Array(LANES);
  #lanes = 0;
  readonly #keystream = new Int32Array(KEYSTREAM_BYTES / 4);
  readonly #keystreamBytes = new Uint8Array(this.#keystream.buffer);

  constructor(ecb: EcbEncryptor, serial?: CfbEncryptor) {
    this.#ecb = ecb;
    this.#serial = serial;
    this.#lanesMin = serial?.lockStepFrom ?? 1;
  }

  /** Encrypts packets from…batch.length−1 in place; each must be at least one block long, and that first block is its random nonce. */
  encrypt(batch: Batch, from: number): void {
    for (let first = from; first < batch.length; first += LANES) {
      this.#load(batch, first, Math.min(first + LANES, batch.length));
      while (this.#lanes > 0 && this.#lanes >= this.#lanesMin) this.#row(batch.view);
      // The tail of a few long packets, or a batch that is small to begin with.
      for (let lane = 0; lane < this.#lanes; lane++) {
        this.#serial!.encrypt(batch.bytes, this.#at[lane]! - BLOCK_BYTES, this.#end[lane]!);
      }
    }
  }

  /** Decrypts packet start…end in place except for its first block, the nonce, which stays encrypted. Needs end − start ≥ 16. */
  decrypt(batch: Batch, start: number, end: number): void {
    // From the back, because decrypting a block in place destroys what the block behind it needs.
    let stop = end;
    let at = start + BLOCK_BYTES + Math.floor(Math.max(0, end - start - BLOCK_BYTES - 1) / KEYSTREAM_BYTES) * KEYSTREAM_BYTES;
    for (; at > start; at -= KEYSTREAM_BYTES) {
      const blocks = (stop - at + BLOCK_BYTES - 1) >> 4;
      if (blocks > 0) this.#ecb.encrypt(batch.bytes, this.#keystreamBytes, blocks * BLOCK_BYTES, at - BLOCK_BYTES);
      xor(batch.view, at, stop, this.#keystream, this.#keystreamBytes);
      stop = at;
    }
  }

  /** Makes packets first…last−1 the lanes and loads their nonces into the registers. */
  #load(batch: Batch, first: number, last: number): void {
    const { view, start, end } = batch;
    const register = this.#register;
    let lane = 0;
    for (let i = first; i < last; i++) {
      const at = start[i]!;
      if (end[i]! - at <= BLOCK_BYTES) continue;
      for (let w = 0; w < 4; w++) register[lane * 4 + w] = view.getInt32(at + w * 4, true);
      this.#at[lane] = at + BLOCK_BYTES;
      this.#end[lane] = end[i]!;
      lane++;
    }
    this.#lanes = lane;
  }

  /** One block of every lane; lanes that reach their end make room for those behind them. */
  #row(view: DataView): void {
    const register = this.#register;
    const ats = this.#at;
    const ends = this.#end;
    const lanes = this.#lanes;
    this.#ecb.encrypt(this.#registerBytes, this.#registerBytes, lanes * BLOCK_BYTES);
    let kept = 0;
    for (let lane = 0; lane < lanes; lane = (lane + 1) | 0) {
      const at = ats[lane]!;
      const left = (ends[lane]! - at) | 0;
      const r = lane << 2;
      if (left < BLOCK_BYTES) {
        for (let i = 0; i < left; i++) view.setUint8(at + i, view.getUint8(at + i) ^ this.#registerBytes[r * 4 + i]!);
        continue;
      }
      // `kept` is at most `lane`, so no register is overwritten before it was used.
      const k = kept << 2;
      let word = view.getInt32(at, true) ^ register[r]!;
      view.setInt32(at, word, true);
      register[k] = word;
      word = view.getInt32((at + 4) | 0, true) ^ register[r + 1]!;
      view.setInt32((at + 4) | 0, word, true);
      register[k + 1] = word;
      word = view.getInt32((at + 8) | 0, true) ^ register[r + 2]!;
      view.setInt32((at + 8) | 0, word, true);
      register[k + 2] = word;
      word = view.getInt32((at + 12) | 0, true) ^ register[r + 3]!;
      view.setInt32((at + 12) | 0, word, true);
      register[k + 3] = word;
      if (left === BLOCK_BYTES) continue;
      ats[kept] = (at + BLOCK_BYTES) | 0;
      ends[kept] = (at + left) | 0;
      kept = (kept + 1) | 0;
    }
    this.#lanes = kept;
  }
}

/**
 * XORs view[start…end) with the keystream, given as words and as bytes of the same buffer.
 * `| 0` tells the compiler that no sum overflows, which it would otherwise check at every word.
 */
function xor(view: DataView, start: number, end: number, words: Int32Array, bytes: Uint8Array): void {
  const whole = (start + ((end - start) & ~15)) | 0;
  let at = start | 0;
  for (let w = 0; at < whole; at = (at + 16) | 0) {
    view.setInt32(at, view.getInt32(at, true) ^ words[w]!, true);
    view.setInt32((at + 4) | 0, view.getInt32((at + 4) | 0, true) ^ words[w + 1]!, true);
    view.setInt32((at + 8) | 0, view.getInt32((at + 8) | 0, true) ^ words[w + 2]!, true);
    view.setInt32((at + 12) | 0, view.getInt32((at + 12) | 0, true) ^ words[w + 3]!, true);
    w = (w + 4) | 0;
  }
  for (; at < end; at++) view.setUint8(at, view.getUint8(at) ^ bytes[at - start]!);
}
