/**
 * CFB over a batch of packets, each of which starts with a nonce of 16 bytes, with any block cipher of 16 or 8 bytes.
 *
 *   nonce                  random, as it travels: one block of 16 bytes or two of 8
 *   C[i] = P[i] ⊕ E(C[i−1])     the last block is cut short
 *
 * Encryption is a chain within a packet but not across packets, so the batch goes in lock step: block i of all packets in one ECB call.
 * Decryption has no chain: one ECB call a packet, straight from where the packet lies (a foreign call costs less than gathering
 * the batch into one buffer; measured in bench/cipher.ts).
 *
 * Source: kcptun.md sections 3 and 3.1 (NIST SP 800-38A section 6.3, segments as long as the block).
 * Deviations: kcptun encrypts the nonce under one fixed IV, C[0] = nonce ⊕ E(IV). Nobody reads the nonce, and its ciphertext is uniformly
 * random either way, so here the ciphertext itself is drawn, and the receiver does not decrypt it: the IV never enters, and what the
 * nonce takes in blocks is not computed.
 * Words of the keystream are taken in the byte order of the machine, which must be little endian, as every platform of Node here is.
 */
import type { Batch } from "../base/batch.ts";
import { isInside, kernels } from "../kernel/kernels.ts";
import { KernelCfb } from "./cfb-kernel.ts";
import { xorKeystream } from "./keystream.ts";
import type { CfbEncryptor, EcbEncryptor } from "./primitives.ts";

const NONCE_BYTES = 16;
const BLOCK_BYTES_MAX = 16;

/** Packets in lock step; a larger batch goes in several turns. Their registers stay in the first-level cache. */
const LANES = 64;
/** Keystream computed at once when decrypting; longer packets go in several turns. */
const KEYSTREAM_BYTES = 2048;

export class Cfb {
  readonly #ecb: EcbEncryptor;
  readonly #blockBytes: number;
  /** Words of 32 bits in a block, as a power of two. */
  readonly #wordsLog2: number;
  readonly #serial: CfbEncryptor | undefined;
  /** For blocks of 16 bytes, where the batch lies in the kernels' memory. */
  readonly #kernel: KernelCfb | undefined;
  /** Fewer packets than this do not go in lock step. */
  readonly #lanesMin: number;
  /** The previous ciphertext block of each lane, which one ECB call turns into its keystream. */
  readonly #register = new Int32Array((LANES * BLOCK_BYTES_MAX) / 4);
  readonly #registerBytes = new Uint8Array(this.#register.buffer);
  readonly #registerView = new DataView(this.#register.buffer);
  /** Where the next block of each lane starts and where its packet ends. */
  readonly #at = new Int32Array(LANES);
  readonly #end = new Int32Array(LANES);
  #lanes = 0;
  readonly #keystream = new Int32Array(KEYSTREAM_BYTES / 4);
  readonly #keystreamBytes = new Uint8Array(this.#keystream.buffer);
  readonly #keystreamView = new DataView(this.#keystream.buffer);

  /** `serial` is of the same cipher and key; only ciphers with blocks of 16 bytes have one. */
  constructor(ecb: EcbEncryptor, serial?: CfbEncryptor) {
    this.#ecb = ecb;
    this.#blockBytes = ecb.blockBytes;
    this.#wordsLog2 = ecb.blockBytes === 16 ? 2 : 1;
    this.#serial = serial;
    const set = kernels();
    this.#kernel = set !== undefined && ecb.blockBytes === 16 ? new KernelCfb(set, ecb, serial) : undefined;
    this.#lanesMin = serial?.lockStepFrom ?? 1;
  }

  /** Encrypts packets from…batch.length−1 in place; each must be at least 16 bytes long, and those first 16 are its random nonce. */
  encrypt(batch: Batch, from: number): void {
    if (this.#kernel !== undefined && isInside(batch.bytes)) {
      this.#kernel.encrypt(batch, from);
      return;
    }
    for (let first = from; first < batch.length; first += LANES) {
      this.#load(batch, first, Math.min(first + LANES, batch.length));
      while (this.#lanes > 0 && this.#lanes >= this.#lanesMin) this.#row(batch.view);
      // The tail of a few long packets, or a batch that is small to begin with.
      for (let lane = 0; lane < this.#lanes; lane++) {
        this.#serial!.encrypt(batch.bytes, this.#at[lane]! - this.#blockBytes, this.#end[lane]!);
      }
    }
  }

  /** Decrypts packets from…batch.length−1, those with end = start excepted, as the other does; false when it must be done one by one. */
  decryptAll(batch: Batch, from: number): boolean {
    if (this.#kernel === undefined || !isInside(batch.bytes)) return false;
    this.#kernel.decrypt(batch, from);
    return true;
  }

  /** Decrypts packet start…end in place except for its first 16 bytes, the nonce, which stay encrypted. Needs end − start ≥ 16. */
  decrypt(batch: Batch, start: number, end: number): void {
    const blockBytes = this.#blockBytes;
    // From the back, because decrypting a block in place destroys what the block behind it needs.
    let stop = end;
    let at = start + NONCE_BYTES + Math.floor(Math.max(0, end - start - NONCE_BYTES - 1) / KEYSTREAM_BYTES) * KEYSTREAM_BYTES;
    for (; at > start; at -= KEYSTREAM_BYTES) {
      const bytes = (stop - at + blockBytes - 1) & -blockBytes;
      if (bytes > 0) this.#ecb.encrypt(batch.view, this.#keystreamView, bytes, at - blockBytes);
      xorKeystream(batch.view, at, stop, this.#keystream, this.#keystreamBytes);
      stop = at;
    }
  }

  /** Makes packets first…last−1 the lanes and loads the last block of their nonces into the registers. */
  #load(batch: Batch, first: number, last: number): void {
    const { view, start, end } = batch;
    const register = this.#register;
    const words = 1 << this.#wordsLog2;
    let lane = 0;
    for (let i = first; i < last; i++) {
      const at = start[i]! + NONCE_BYTES;
      if (end[i]! <= at) continue;
      for (let w = 0; w < words; w++) register[lane * words + w] = view.getInt32(at - this.#blockBytes + w * 4, true);
      this.#at[lane] = at;
      this.#end[lane] = end[i]!;
      lane++;
    }
    this.#lanes = lane;
  }

  /** One block of every lane; lanes that reach their end make room for those behind them. */
  #row(view: DataView): void {
    const blockBytes = this.#blockBytes;
    const wordsLog2 = this.#wordsLog2;
    const register = this.#register;
    const ats = this.#at;
    const ends = this.#end;
    const lanes = this.#lanes;
    this.#ecb.encrypt(this.#registerView, this.#registerView, lanes * blockBytes);
    let kept = 0;
    for (let lane = 0; lane < lanes; lane = (lane + 1) | 0) {
      const at = ats[lane]!;
      const left = (ends[lane]! - at) | 0;
      const r = lane << wordsLog2;
      if (left < blockBytes) {
        for (let i = 0; i < left; i++) view.setUint8(at + i, view.getUint8(at + i) ^ this.#registerBytes[r * 4 + i]!);
        continue;
      }
      // `kept` is at most `lane`, so no register is overwritten before it was used.
      const k = kept << wordsLog2;
      let word = view.getInt32(at, true) ^ register[r]!;
      view.setInt32(at, word, true);
      register[k] = word;
      word = view.getInt32((at + 4) | 0, true) ^ register[r + 1]!;
      view.setInt32((at + 4) | 0, word, true);
      register[k + 1] = word;
      if (wordsLog2 === 2) {
        word = view.getInt32((at + 8) | 0, true) ^ register[r + 2]!;
        view.setInt32((at + 8) | 0, word, true);
        register[k + 2] = word;
        word = view.getInt32((at + 12) | 0, true) ^ register[r + 3]!;
        view.setInt32((at + 12) | 0, word, true);
        register[k + 3] = word;
      }
      if (left === blockBytes) continue;
      ats[kept] = (at + blockBytes) | 0;
      ends[kept] = (at + left) | 0;
      kept = (kept + 1) | 0;
    }
    this.#lanes = kept;
  }
}
