/**
 * Packet encryption as kcptun does it, over batches of datagrams, in place.
 *
 *   seal   | head | body | tail |     start −= headBytes, end += tailBytes: the caller leaves that room
 *   open   | head | body | tail |     start and end become the body's
 *
 *   aes aes-192 aes-128 sm4 twofish     nonce(16) crc(4) body, all in CFB             cfb.ts, checksummed.ts
 *   blowfish cast5 3des tea xtea        the same, blocks of 8 bytes
 *   salsa20                             nonce(16) crc(4) body, all but 8 bytes XORed  salsa20.ts, checksummed.ts
 *   xor                                 nonce(16) crc(4) body, all XORed              xor.ts, checksummed.ts
 *   none                                nonce(16) crc(4) body, in clear               checksummed.ts
 *   aes-128-gcm                         nonce(12) body tag(16)                        gcm.ts
 *   null                                body                                          null.ts
 *
 * Source: kcptun.md sections 2 and 3.
 * Deviations: kcptun takes every name it does not know for `aes`; here the type rules such names out, and whoever reads the
 * configuration decides what to do with them.
 */
import { assert } from "../base/assert.ts";
import type { Batch } from "../base/batch.ts";
import { Blowfish } from "./blowfish.ts";
import { Cast5 } from "./cast5.ts";
import { Cfb } from "./cfb.ts";
import { ChecksummedCipher } from "./checksummed.ts";
import { GcmCipher } from "./gcm.ts";
import type { CipherName } from "./names.ts";
import { NullCipher } from "./null.ts";
import type { EcbEncryptor, Primitives } from "./primitives.ts";
import { Salsa20 } from "./salsa20.ts";
import { Sm4 } from "./sm4.ts";
import { Tea } from "./tea.ts";
import { TripleDes } from "./triple-des.ts";
import { Twofish } from "./twofish.ts";
import { XorPad } from "./xor.ts";
import { Xtea } from "./xtea.ts";

export type { Primitives } from "./primitives.ts";

/** Bytes of a derived key, of which each cipher takes the first as many as it needs. */
export const KEY_BYTES = 32;

export interface CipherStats {
  sealed: number;
  opened: number;
  /** Datagrams shorter than head and tail: not ours. */
  shortDatagrams: number;
  /** Datagrams longer than the cipher takes: `xor` has a pad of 1500 bytes, no other has a limit. */
  longDatagrams: number;
  /** Datagrams whose checksum or tag is wrong: damaged, forged, or of a peer with another key (kcptun: InCsumErrors). */
  checksumErrors: number;
}

export interface PacketCipher {
  readonly name: CipherName;
  /** Room that `seal` takes before the body. */
  readonly headBytes: number;
  /** Room that `seal` takes behind the body. */
  readonly tailBytes: number;
  readonly stats: CipherStats;
  /** Encrypts datagrams from…batch.length−1 in place, each with its own fresh unpredictable nonce. */
  seal(batch: Batch, from: number): void;
  /** Decrypts datagrams from…batch.length−1 (from 0 if not given) in place. One that is short, too long, damaged or forged is counted and gets end = start. */
  open(batch: Batch, from?: number): void;
}

/** `key` is the derived key (`Primitives.deriveKey`), 32 bytes, copied. */
export function createCipher(name: CipherName, key: Uint8Array, primitives: Primitives): PacketCipher {
  assert(key.length === KEY_BYTES, `a derived key has ${KEY_BYTES} bytes, not ${key.length}`);
  switch (name) {
    case "aes":
      return aes(name, key, primitives);
    case "aes-192":
      return aes(name, key.slice(0, 24), primitives);
    case "aes-128":
      return aes(name, key.slice(0, 16), primitives);
    case "none":
      return new ChecksummedCipher(name, undefined, primitives);
    case "null":
      return new NullCipher();
    case "aes-128-gcm":
      return new GcmCipher(primitives.aesGcm(key.slice(0, 16)), primitives);
    case "salsa20":
      return new ChecksummedCipher(name, new Salsa20(key), primitives);
    case "xor":
      return new ChecksummedCipher(name, new XorPad(key, primitives), primitives);
    default:
      return new ChecksummedCipher(name, new Cfb(blockCipher(name, key)), primitives);
  }
}

/** The block ciphers that are in TypeScript. OpenSSL has two of them, a tenth quicker (bench/cipher.ts): not worth a second path. */
function blockCipher(name: "blowfish" | "twofish" | "cast5" | "3des" | "tea" | "xtea" | "sm4", key: Uint8Array): EcbEncryptor {
  switch (name) {
    case "blowfish":
      return new Blowfish(key);
    case "twofish":
      return new Twofish(key);
    case "cast5":
      return new Cast5(key.slice(0, 16));
    case "3des":
      return new TripleDes(key.slice(0, 24));
    case "tea":
      return new Tea(key.slice(0, 16));
    case "xtea":
      return new Xtea(key.slice(0, 16));
    case "sm4":
      return new Sm4(key.slice(0, 16));
  }
}

function aes(name: CipherName, key: Uint8Array, primitives: Primitives): PacketCipher {
  return new ChecksummedCipher(name, new Cfb(primitives.aesEcb(key), primitives.aesCfb?.(key)), primitives);
}
