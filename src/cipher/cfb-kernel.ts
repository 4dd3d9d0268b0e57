/**
 * CFB with blocks of 16 bytes for batches that lie in the kernels' memory: ECB by the machine, XOR by kernels (kernel/cfb.ts).
 *
 *   encrypt   lock step as in cfb.ts: one ECB call and one XOR call a row of blocks
 *   decrypt   datagrams that lie back to back in whole blocks, as segmented ones arrive, are one long text: keystream block i is E(block i − 1)
 *             all the way, with blocks between that nobody uses, and one ECB call serves up to 64 KB
 */
import type { Batch } from "../base/batch.ts";
import type { Kernels } from "../kernel/kernels.ts";
import type { CfbEncryptor, EcbEncryptor } from "./primitives.ts";

const BLOCK_BYTES = 16;
const NONCE_BYTES = 16;
/** Tuning: packets in lock step; their registers and places stay in the first-level cache. */
const LANES = 256;
const LANE_BYTES = 8;
/** Keystream computed at once. */
const KEYSTREAM_BYTES = 65_536;

export class KernelCfb {
  readonly #kernels: Kernels;
  readonly #ecb: EcbEncryptor;
  readonly #serial: CfbEncryptor | undefined;
  readonly #lanesMin: number;
  /** In the kernels' scratch: registers and lanes, or keystream. */
  readonly #registers: DataView;
  readonly #lanes: number;

  constructor(kernels: Kernels, ecb: EcbEncryptor, serial: CfbEncryptor | undefined) {
    this.#kernels = kernels;
    this.#ecb = ecb;
    this.#serial = serial;
    this.#lanesMin = serial?.lockStepFrom ?? 1;
    this.#registers = new DataView(kernels.buffer, kernels.scratch, KEYSTREAM_BYTES);
    this.#lanes = kernels.scratch + LANES * BLOCK_BYTES;
  }

  /** Encrypts packets from…batch.length−1, which begin with their nonces. */
  encrypt(batch: Batch, from: number): void {
    const { view } = this.#kernels;
    const registers = this.#registers;
    for (let first = from; first < batch.length; first += LANES) {
      let lanes = this.#load(batch, first, Math.min(first + LANES, batch.length));
      while (lanes > 0 && lanes >= this.#lanesMin) {
        this.#ecb.encrypt(registers, registers, lanes * BLOCK_BYTES);
        lanes = this.#kernels.run.cfbRow(this.#kernels.scratch, this.#lanes, lanes);
      }
      // The tail of a few long packets, or a batch that is small to begin with.
      for (let lane = 0; lane < lanes; lane++) {
        const place = this.#lanes + lane * LANE_BYTES;
        const at = view.getInt32(place, true);
        this.#serial!.encrypt(batch.bytes, at - BLOCK_BYTES, view.getInt32(place + 4, true));
      }
    }
  }

  /** Decrypts packets from…batch.length−1 that are longer than a nonce; the nonces stay as they are. */
  decrypt(batch: Batch, from: number): void {
    const { start, end, length } = batch;
    const { run, scratch } = this.#kernels;
    for (let i = from; i < length; ) {
      const first = start[i]!;
      let next = i + 1;
      for (let last = end[i]!; next < length && start[next] === last && ((last - first) & (BLOCK_BYTES - 1)) === 0; next++) {
        last = end[next]!;
        if (last - first > KEYSTREAM_BYTES) break;
      }
      const text = first + NONCE_BYTES;
      for (let bytes = end[next - 1]! - text, at = 0; bytes > 0; ) {
        // A packet alone may be longer than the keystream; its last blocks are decrypted first, because each needs the one before it.
        at = bytes > KEYSTREAM_BYTES ? (bytes - 1) & -KEYSTREAM_BYTES : 0;
        this.#ecb.encrypt(batch.view, this.#registers, (bytes - at + BLOCK_BYTES - 1) & -BLOCK_BYTES, first + at);
        if (next === i + 1) run.xor(text + at, text + bytes, scratch);
        bytes = at;
      }
      if (next > i + 1) {
        for (; i < next; i++) {
          const packet = start[i]!;
          if (end[i]! > packet + NONCE_BYTES) run.xor(packet + NONCE_BYTES, end[i]!, scratch + packet - first);
        }
      }
      i = next;
    }
  }

  /** Makes packets first…last−1 the lanes, with their nonces as registers; answers how many have something behind the nonce. */
  #load(batch: Batch, first: number, last: number): number {
    const { run, view, scratch } = this.#kernels;
    let lanes = 0;
    for (let i = first; i < last; i++) {
      const at = batch.start[i]! + NONCE_BYTES;
      const end = batch.end[i]!;
      if (end <= at) continue;
      run.copy(scratch + lanes * BLOCK_BYTES, at - BLOCK_BYTES, BLOCK_BYTES);
      view.setInt32(this.#lanes + lanes * LANE_BYTES, at, true);
      view.setInt32(this.#lanes + lanes * LANE_BYTES + 4, end, true);
      lanes++;
    }
    return lanes;
  }
}
