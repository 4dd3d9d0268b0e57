/** Opens and seals the datagrams of a socket: under one cipher here, under those of many users in keyring.ts. */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { PacketCipher } from "../cipher/cipher.ts";

export interface Envelope {
  /** Decrypts all datagrams in place; what nobody's key opens gets end = start. */
  open(now: Millis, batch: Batch): void;
  /** Encrypts datagrams from…batch.length−1 in place. */
  seal(batch: Batch, from: number): void;
}

/** A client's: it has one server. */
export class OneCipher implements Envelope {
  readonly #cipher: PacketCipher;

  constructor(cipher: PacketCipher) {
    this.#cipher = cipher;
  }

  open(_now: Millis, batch: Batch): void {
    this.#cipher.open(batch);
  }

  seal(batch: Batch, from: number): void {
    this.#cipher.seal(batch, from);
  }
}
