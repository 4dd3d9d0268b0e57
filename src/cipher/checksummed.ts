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
import type { CipherName, CipherStats, PacketCipher } from "./cipher.ts";
import { crc32 } from "./crc32.ts";
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

  constructor(name: CipherName, scrambler: Scrambler | undefined, primitives: Primitives) {
    this.name = name;
    this.#scrambler = scrambler;
    this.#nonces = new NoncePool(primitives);
    this.#checksum = primitives.crc32 ?? crc32;
    this.#datagramBytesMax = scrambler?.datagramBytesMax ?? INT32_MAX;
  }

  seal(batch: Batch, from: number): void {
    const { view, start, end, length } = batch;
    for (let i = from; i < length; i++) {
      const body = start[i]!;
      const head = body - HEAD_BYTES;
      this.#nonces.draw(view, head, NONCE_BYTES);
      view.setUint32(head + NONCE_BYTES, this.#checksum(view, body, end[i]!), true);
      start[i] = head;
    }
    this.#scrambler?.encrypt(batch, from);
    this.stats.sealed += length - from;
  }

  open(batch: Batch, from = 0): void {
    const { view, start, end, length } = batch;
    for (let i = from; i < length; i++) {
      const head = start[i]!;
      const body = head + HEAD_BYTES;
      if (end[i]! < body) {
        this.stats.shortDatagrams++;
        end[i] = head;
        continue;
      }
      if (end[i]! - head > this.#datagramBytesMax) {
        this.stats.longDatagrams++;
        end[i] = head;
        continue;
      }
      this.#scrambler?.decrypt(batch, head, end[i]!);
      start[i] = body;
      if (view.getUint32(head + NONCE_BYTES, true) !== this.#checksum(view, body, end[i]!)) {
        this.stats.checksumErrors++;
        end[i] = body;
      } else this.stats.opened++;
    }
  }
}
