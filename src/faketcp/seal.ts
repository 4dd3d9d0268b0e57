/**
 * One direction of a raw connection: packets sealed for the wire, or opened.
 *
 *   hmac_sha1         wire = cipher(plain) ‖ MAC(cipher(plain))        keys of the direction
 *   every other       wire = cipher(plain ‖ check(plain))              the normal key, the same both ways
 *   fix-gro           length(2) ‖ wire, safer packets only             so that packets the kernel merged can be told apart
 *
 * fix-gro's length is hidden by two bytes of key (xor), by AES-ECB of the first block (aes128cbc), or not at all (aes128cfb, none: a slip of the
 * original that is part of its wire format).
 *
 * Source: reference udp2raw.md section 4.
 */
import { assert } from "../base/assert.ts";
import { AeadEnd } from "./aead.ts";
import { type Auth, type AuthMode, authOf } from "./auth-mode.ts";
import type { Checksum } from "./checksum.ts";
import { AEAD_MODE, type Cipher, type CipherMode, cipherOf, decryptAll, encryptAll } from "./cipher-mode.ts";
import type { Keys } from "./keys.ts";
import type { Role } from "./mode.ts";
import { PLAIN_BYTES_MAX } from "./packet.ts";
import type { Blocks, Primitives } from "./primitives.ts";
import type { Ranges } from "./ranges.ts";

export interface SealOptions {
  /** aes128gcm: see aead.ts; what is here then only frames. */
  readonly cipherMode: CipherMode | typeof AEAD_MODE;
  readonly authMode: AuthMode;
  readonly fixGro: boolean;
}

export type Direction = "client-->server" | "server-->client";

/** Behind a plain packet there must be room for so many bytes. */
export const TAIL_BYTES_MAX = 36;
/** Before one, with fix-gro. */
export const LENGTH_BYTES = 2;

export class Seal {
  readonly #cipher: Cipher;
  readonly #auth: Auth;
  readonly #mode: CipherMode;
  readonly #fixGro: boolean;
  readonly #gro: Uint8Array;
  readonly #ecb: Blocks;

  constructor(direction: Direction, options: SealOptions, keys: Keys, primitives: Primitives, crc32: Checksum) {
    const key = direction === "client-->server" ? keys.clientToServer : keys.serverToClient;
    const cipherMode = options.cipherMode === AEAD_MODE ? "none" : options.cipherMode;
    this.#auth = authOf(options.cipherMode === AEAD_MODE ? "none" : options.authMode, key, primitives, crc32);
    this.#cipher = cipherOf(cipherMode, this.#auth.outside ? key.cipher : keys.normal, key.cipher, primitives);
    this.#mode = cipherMode;
    this.#fixGro = options.fixGro;
    this.#gro = keys.gro;
    this.#ecb = primitives.aesEcb(key.cipher);
  }

  /** How long a plain packet of `length` bytes becomes, fix-gro's length not counted. */
  sealedBytes(length: number): number {
    const { bytes, outside } = this.#auth;
    return outside ? this.#cipher.encryptedBytes(length) + bytes : this.#cipher.encryptedBytes(length + bytes);
  }

  /** Seals the plain packet bytes[start…end) in place, TAIL_BYTES_MAX of room behind; answers the new end, −1 when it is too long or too short. */
  seal(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > PLAIN_BYTES_MAX) return -1;
    if (!this.#auth.outside) this.#auth.write(bytes, start, end);
    const sealed = this.#cipher.encrypt(bytes, start, this.#auth.outside ? end : end + this.#auth.bytes);
    if (sealed < 0 || !this.#auth.outside) return sealed;
    this.#auth.write(bytes, start, sealed);
    return sealed + this.#auth.bytes;
  }

  /** Opens bytes[start…end) in place; answers the end of the plain packet, −1 when it is damaged or forged. */
  open(bytes: Uint8Array, start: number, end: number): number {
    const { bytes: checkBytes, outside } = this.#auth;
    if (end - start < checkBytes || (outside && !this.#auth.matches(bytes, start, end))) return -1;
    const plain = this.#cipher.decrypt(bytes, start, outside ? end - checkBytes : end);
    if (plain < 0 || outside) return plain;
    if (plain - start < checkBytes || !this.#auth.matches(bytes, start, plain)) return -1;
    return plain - checkBytes;
  }

  /** `seal` of every plain packet of the ranges, whose ends become what it answers; the block before each may be overwritten. */
  sealAll(ranges: Ranges): void {
    const { start, end, length } = ranges;
    for (let i = 0; i < length; i++) if (end[i]! - start[i]! > PLAIN_BYTES_MAX) end[i] = -1;
    if (!this.#auth.outside) this.#auth.writeAll(ranges);
    encryptAll(this.#cipher, ranges);
    if (this.#auth.outside) this.#auth.writeAll(ranges);
  }

  /** `open` of every range, whose ends become what it answers. */
  openAll(ranges: Ranges): void {
    if (this.#auth.outside) this.#auth.openAll(ranges);
    decryptAll(this.#cipher, ranges);
    if (!this.#auth.outside) this.#auth.openAll(ranges);
  }

  /** As `seal`, for a safer packet: with fix-gro the length is written to the LENGTH_BYTES before `start`. Answers where the wire's bytes begin. */
  frame(bytes: Uint8Array, start: number, sealedEnd: number): number {
    if (!this.#fixGro) return start;
    const at = start - LENGTH_BYTES;
    bytes[at] = (sealedEnd - start) >>> 8;
    bytes[at + 1] = sealedEnd - start;
    this.#hide(bytes, at);
    if (this.#mode === "aes128cbc") this.#ecb.encrypt(bytes, at, at + BLOCK_BYTES);
    return at;
  }

  /**
   * Uncovers the next of the safer packets that bytes[start…end) holds: answers the end of its sealed bytes, which begin at
   * `start + headBytes`; −1 when there is none.
   */
  next(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#fixGro) return start < end ? end : -1;
    if (end - start < BLOCK_BYTES) return -1;
    if (this.#mode === "aes128cbc") this.#ecb.decrypt(bytes, start, start + BLOCK_BYTES);
    this.#hide(bytes, start);
    const length = (bytes[start]! << 8) | bytes[start + 1]!;
    return length > end - start - LENGTH_BYTES ? -1 : start + LENGTH_BYTES + length;
  }

  /** Before the sealed bytes of a safer packet. */
  get headBytes(): number {
    return this.#fixGro ? LENGTH_BYTES : 0;
  }

  #hide(bytes: Uint8Array, at: number): void {
    if (this.#mode !== "xor") return;
    bytes[at] = bytes[at]! ^ this.#gro[0]!;
    bytes[at + 1] = bytes[at + 1]! ^ this.#gro[1]!;
  }
}

/** What one end seals with and what it opens with. */
export interface Seals {
  readonly out: Seal;
  readonly in: Seal;
  /** aes128gcm: each connection seals and opens by itself. */
  readonly aead: AeadEnd | undefined;
}

export function sealsOf(role: Role, options: SealOptions & SealParts): Seals {
  const { keys, primitives, crc32, cipherMode } = options;
  assert(cipherMode !== AEAD_MODE || keys.aead !== undefined, "aes128gcm needs keys of its own");
  const aead = cipherMode === AEAD_MODE ? new AeadEnd(role, keys.aead!, primitives) : undefined;
  const up = new Seal("client-->server", options, keys, primitives, crc32);
  const down = new Seal("server-->client", options, keys, primitives, crc32);
  return role === "client" ? { out: up, in: down, aead } : { out: down, in: up, aead };
}

interface SealParts {
  readonly keys: Keys;
  readonly primitives: Primitives;
  readonly crc32: Checksum;
}

const BLOCK_BYTES = 16;
