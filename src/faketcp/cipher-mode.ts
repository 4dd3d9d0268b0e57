/**
 * udp2raw's ways to encrypt a packet. None has an IV: the first 16 bytes of the plain text differ in every packet and take its part.
 * Source: reference udp2raw.md section 4.
 *
 *   aes128cbc     IV of zeros; 1…16 bytes are added, the last of which says how many
 *   aes128cfb     IV of zeros; the first block goes through AES-ECB under the direction's key before, in every auth mode
 *   aes128cfb_0   without that step: releases before 2019
 *   xor           with the 16 bytes of the key, over and over
 *   none
 *
 * Deviations: the added bytes are zeros but for the last (the original leaves old memory there).
 */
import type { Primitives } from "./primitives.ts";

export const cipherModes = ["aes128cbc", "aes128cfb", "aes128cfb_0", "xor", "none"] as const;
export type CipherMode = (typeof cipherModes)[number];

export interface Cipher {
  /** How long `length` bytes become. */
  encryptedBytes(length: number): number;
  /** Encrypts bytes[start…end) in place, into room for `encryptedBytes`; answers the new end, −1 when it is too short for this mode. */
  encrypt(bytes: Uint8Array, start: number, end: number): number;
  /** Decrypts bytes[start…end) in place; answers the end of the plain text, −1 when it cannot be one. */
  decrypt(bytes: Uint8Array, start: number, end: number): number;
}

/** `key` of 16 bytes; `first` that of aes128cfb's first block. */
export function cipherOf(mode: CipherMode, key: Uint8Array, first: Uint8Array, primitives: Primitives): Cipher {
  switch (mode) {
    case "aes128cbc":
      return new Cbc(key, primitives);
    case "aes128cfb":
      return new Cfb(key, first, primitives);
    case "aes128cfb_0":
      return new Cfb(key, undefined, primitives);
    case "xor":
      return new Xor(key);
    case "none":
      return { encryptedBytes: same, encrypt: (_bytes, _start, end) => end, decrypt: (_bytes, _start, end) => end };
  }
}

class Cbc implements Cipher {
  readonly #aes;

  constructor(key: Uint8Array, primitives: Primitives) {
    this.#aes = primitives.aesCbc(key);
  }

  encryptedBytes(length: number): number {
    return length - (length % BLOCK_BYTES) + BLOCK_BYTES;
  }

  encrypt(bytes: Uint8Array, start: number, end: number): number {
    const added = this.encryptedBytes(end - start) - (end - start);
    bytes.fill(0, end, end + added - 1);
    bytes[end + added - 1] = added;
    this.#aes.encrypt(bytes, start, end + added);
    return end + added;
  }

  decrypt(bytes: Uint8Array, start: number, end: number): number {
    const n = end - start;
    if (n === 0 || n % BLOCK_BYTES !== 0) return -1;
    this.#aes.decrypt(bytes, start, end);
    const added = bytes[end - 1]!;
    return added > BLOCK_BYTES ? -1 : end - added;
  }
}

class Cfb implements Cipher {
  readonly encryptedBytes = same;
  readonly #aes;
  readonly #first;

  constructor(key: Uint8Array, first: Uint8Array | undefined, primitives: Primitives) {
    this.#aes = primitives.aesCfb(key);
    this.#first = first && primitives.aesEcb(first);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < BLOCK_BYTES) return -1;
    this.#first?.encrypt(bytes, start, start + BLOCK_BYTES);
    this.#aes.encrypt(bytes, start, end);
    return end;
  }

  decrypt(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < BLOCK_BYTES) return -1;
    this.#aes.decrypt(bytes, start, end);
    this.#first?.decrypt(bytes, start, start + BLOCK_BYTES);
    return end;
  }
}

class Xor implements Cipher {
  readonly encryptedBytes = same;
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key.slice(0, BLOCK_BYTES);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): number {
    for (let i = start; i < end; i++) bytes[i] = bytes[i]! ^ this.#key[(i - start) % BLOCK_BYTES]!;
    return end;
  }

  decrypt(bytes: Uint8Array, start: number, end: number): number {
    return this.encrypt(bytes, start, end);
  }
}

function same(length: number): number {
  return length;
}

const BLOCK_BYTES = 16;
