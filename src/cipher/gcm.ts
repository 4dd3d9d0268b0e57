/**
 * The datagram of `aes-128-gcm`, kcptun's only cipher that stops a forger.
 *
 *   0         12                  n
 *   +---------+---------- … ------+----------+
 *   | nonce   | ciphertext        | tag (16) |
 *   +---------+---------- … ------+----------+
 *
 * Source: kcptun.md section 2.3 (NIST SP 800-38D). The nonce is random, as in kcptun: 96 bits make a repeat likely only after about
 * 2^48 packets under one password; change the password before.
 */
import type { Batch } from "../base/batch.ts";
import type { CipherStats, PacketCipher } from "./cipher.ts";
import type { CipherName } from "./names.ts";
import { NoncePool } from "./nonce-pool.ts";
import type { Gcm, Primitives } from "./primitives.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class GcmCipher implements PacketCipher {
  readonly name: CipherName = "aes-128-gcm";
  readonly headBytes = NONCE_BYTES;
  readonly tailBytes = TAG_BYTES;
  readonly stats: CipherStats = { sealed: 0, opened: 0, shortDatagrams: 0, longDatagrams: 0, checksumErrors: 0 };
  readonly #gcm: Gcm;
  readonly #nonces: NoncePool;

  constructor(gcm: Gcm, primitives: Primitives) {
    this.#gcm = gcm;
    this.#nonces = new NoncePool(primitives);
  }

  seal(batch: Batch, from: number): void {
    const { bytes, view, start, end, length } = batch;
    for (let i = from; i < length; i++) {
      const head = start[i]! - NONCE_BYTES;
      this.#nonces.draw(view, head, NONCE_BYTES);
      this.#gcm.seal(bytes, head, end[i]!);
      start[i] = head;
      end[i] = end[i]! + TAG_BYTES;
    }
    this.stats.sealed += length - from;
  }

  open(batch: Batch, from = 0): void {
    const { bytes, start, end, length } = batch;
    for (let i = from; i < length; i++) {
      const head = start[i]!;
      if (end[i]! - head < NONCE_BYTES + TAG_BYTES) {
        this.stats.shortDatagrams++;
        end[i] = head;
        continue;
      }
      const genuine = this.#gcm.open(bytes, head, end[i]!);
      start[i] = head + NONCE_BYTES;
      if (genuine) {
        this.stats.opened++;
        end[i] = end[i]! - TAG_BYTES;
      } else {
        this.stats.checksumErrors++;
        end[i] = start[i]!;
      }
    }
  }
}
