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
import type { Region } from "../base/region.ts";
import { isInside, kernels, takeInside } from "../kernel/kernels.ts";
import { CbcLanes, LOCK_STEP_FROM } from "./cbc-lanes.ts";
import type { Primitives } from "./primitives.ts";
import type { Ranges } from "./ranges.ts";

export const cipherModes = ["aes128cbc", "aes128cfb", "aes128cfb_0", "xor", "none"] as const;
export type CipherMode = (typeof cipherModes)[number];
/** Of our own, which encrypts and authenticates at once (aead.ts): there is no auth mode besides. */
export const AEAD_MODE = "aes128gcm";

export interface Cipher {
  /** How long `length` bytes become. */
  encryptedBytes(length: number): number;
  /** Encrypts bytes[start…end) in place, into room for `encryptedBytes`; answers the new end, −1 when it is too short for this mode. */
  encrypt(bytes: Uint8Array, start: number, end: number): number;
  /** Decrypts bytes[start…end) in place; answers the end of the plain text, −1 when it cannot be one. */
  decrypt(bytes: Uint8Array, start: number, end: number): number;
  /** `encrypt` of every range; the block before a range may be overwritten. Ends are moved to what `encrypt` answers; where there is no other way, one by one. */
  encryptAll?(ranges: Ranges): void;
}

/** By the cipher's own way, or one by one. */
export function encryptAll(cipher: Cipher, ranges: Ranges): void {
  if (cipher.encryptAll !== undefined) {
    cipher.encryptAll(ranges);
    return;
  }
  const { bytes, start, end, length } = ranges;
  for (let i = 0; i < length; i++) if (end[i]! >= 0) end[i] = cipher.encrypt(bytes, start[i]!, end[i]!);
}

export function decryptAll(cipher: Cipher, { bytes, start, end, length }: Ranges): void {
  for (let i = 0; i < length; i++) if (end[i]! >= 0) end[i] = cipher.decrypt(bytes, start[i]!, end[i]!);
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
  readonly #lanes: CbcLanes | undefined;

  constructor(key: Uint8Array, primitives: Primitives) {
    this.#aes = primitives.aesCbc(key);
    const set = kernels();
    this.#lanes = set && new CbcLanes(set, primitives.aesEcb(key));
  }

  encryptedBytes(length: number): number {
    return length - (length % BLOCK_BYTES) + BLOCK_BYTES;
  }

  encrypt(bytes: Uint8Array, start: number, end: number): number {
    const filled = this.#fill(bytes, start, end);
    this.#aes.encrypt(bytes, start, filled);
    return filled;
  }

  encryptAll(ranges: Ranges): void {
    const { bytes, start, end, length } = ranges;
    const lockStep = length >= LOCK_STEP_FROM && this.#lanes !== undefined && isInside(bytes);
    for (let i = 0; i < length; i++) {
      if (end[i]! < 0) continue;
      end[i] = this.#fill(bytes, start[i]!, end[i]!);
      if (!lockStep) this.#aes.encrypt(bytes, start[i]!, end[i]!);
    }
    if (lockStep) this.#lanes!.encrypt(ranges);
  }

  /** Fills up to whole blocks; answers the new end. */
  #fill(bytes: Uint8Array, start: number, end: number): number {
    const added = BLOCK_BYTES - ((end - start) % BLOCK_BYTES);
    for (let i = 0; i < added - 1; i++) bytes[end + i] = 0;
    bytes[end + added - 1] = added;
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
  /** The key over and over, in the kernels' memory where there is room. */
  readonly #pad: Region | undefined;

  constructor(key: Uint8Array) {
    this.#key = key.slice(0, BLOCK_BYTES);
    this.#pad = takeInside(PAD_BYTES);
    for (let at = 0; this.#pad !== undefined && at < PAD_BYTES; at += BLOCK_BYTES) this.#pad.bytes.set(this.#key, this.#pad.at + at);
  }

  encrypt(bytes: Uint8Array, start: number, end: number): number {
    if (this.#pad !== undefined && isInside(bytes) && end - start <= PAD_BYTES) {
      if (end > start) kernels()!.run.xor(start, end, this.#pad.at);
      return end;
    }
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
/** Longer ones, which no path carries, are done byte by byte. */
const PAD_BYTES = 2048;
