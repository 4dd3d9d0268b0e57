/**
 * The datagram of kcptun's ciphers without a tag of their own: a nonce and a CRC-32, all of it encrypted.
 *
 *   0           16      20
 *   +-----------+-------+---------------- …
 *   | nonce     | crc   | body
 *   +-----------+-------+---------------- …
 *   |<--------------- encrypted --------->|     crc: little endian, over the body in clear
 *
 * Source: kcptun.md section 2.1. The CRC finds damage, it does not stop a forger: it is not a MAC.
 */
import type { Batch } from "../base/batch.ts";
import { CRC_BYTES_MAX } from "../kernel/crc32.ts";
import { isInside, type Kernels, kernels } from "../kernel/kernels.ts";
import type { CipherStats, PacketCipher } from "./cipher.ts";
import { crc32 } from "./crc32.ts";
import type { CipherName } from "./names.ts";
import { NoncePool } from "./nonce-pool.ts";
import type { Checksum, Primitives } from "./primitives.ts";

const NONCE_BYTES = 16;
const HEAD_BYTES = 20;
/** No limit: a batch counts its bytes in 32 bits. */
const INT32_MAX = 0x7fffffff;

/** What turns the clear datagram, nonce included, into the one on the wire, in place. */
export interface Scrambler {
  /** Longest datagram it can take, where there is a limit. */
  readonly datagramBytesMax?: number;
  /** Packets from…batch.length−1, each at least HEAD_BYTES long. */
  encrypt(batch: Batch, from: number): void;
  /** Packets from…batch.length−1, of at least HEAD_BYTES or none, all at once; false when this batch must be decrypted one by one. */
  decryptAll?(batch: Batch, from: number): boolean;
  /** One packet start…end of at least HEAD_BYTES; its nonce need not come out right. */
  decrypt(batch: Batch, start: number, end: number): void;
}

export class ChecksummedCipher implements PacketCipher {
  readonly name: CipherName;
  readonly headBytes = HEAD_BYTES;
  readonly tailBytes = 0;
  readonly stats: CipherStats = { sealed: 0, opened: 0, shortDatagrams: 0, longDatagrams: 0, checksumErrors: 0 };
  /** Undefined for "none": the header travels in clear. */
  readonly #scrambler: Scrambler | undefined;
  readonly #nonces: NoncePool;
  readonly #checksum: Checksum;
  readonly #datagramBytesMax: number;
  readonly #kernels: Kernels | undefined = kernels();

  constructor(name: CipherName, scrambler: Scrambler | undefined, primitives: Primitives) {
    this.name = name;
    this.#scrambler = scrambler;
    this.#nonces = new NoncePool(primitives);
    this.#checksum = primitives.crc32 ?? crc32;
    this.#datagramBytesMax = scrambler?.datagramBytesMax ?? INT32_MAX;
  }

  seal(batch: Batch, from: number): void {
    const { view, start, end, length } = batch;
    const inside = isInside(batch.bytes);
    for (let i = from; i < length; i++) {
      const body = start[i]!;
      const head = body - HEAD_BYTES;
      this.#nonces.draw(view, head, NONCE_BYTES);
      view.setUint32(head + NONCE_BYTES, this.#sum(view, inside, body, end[i]!), true);
      start[i] = head;
    }
    this.#scrambler?.encrypt(batch, from);
    this.stats.sealed += length - from;
  }

  open(batch: Batch, from = 0): void {
    const { view, start, end, length } = batch;
    const inside = isInside(batch.bytes);
    this.#refuse(batch, from);
    const scrambler = this.#scrambler;
    const decrypted = scrambler === undefined || scrambler.decryptAll?.(batch, from) === true;
    for (let i = from; i < length; i++) {
      const head = start[i]!;
      const body = head + HEAD_BYTES;
      if (end[i] === head) continue;
      if (!decrypted) scrambler.decrypt(batch, head, end[i]!);
      start[i] = body;
      if (view.getInt32(head + NONCE_BYTES, true) !== this.#sum(view, inside, body, end[i]!)) {
        this.stats.checksumErrors++;
        end[i] = body;
      } else this.stats.opened++;
    }
  }

  /** What is too short or too long gets end = start. */
  #refuse(batch: Batch, from: number): void {
    const { start, end, length } = batch;
    for (let i = from; i < length; i++) {
      const bytes = end[i]! - start[i]!;
      if (bytes >= HEAD_BYTES && bytes <= this.#datagramBytesMax) continue;
      if (bytes < HEAD_BYTES) this.stats.shortDatagrams++;
      else this.stats.longDatagrams++;
      end[i] = start[i]!;
    }
  }

  /** CRC of view[start…end) as an int32; `inside` tells whether the view is of the kernels' memory. */
  #sum(view: DataView, inside: boolean, start: number, end: number): number {
    const length = end - start;
    if (!inside || length === 0 || length > CRC_BYTES_MAX) return this.#checksum(view, start, end) | 0;
    return this.#kernels!.run.crc32(start, end);
  }
}
