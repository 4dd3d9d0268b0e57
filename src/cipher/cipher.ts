/**
 * Packet encryption as kcptun does it, over batches of datagrams, in place.
 *
 *   seal   | head | body | tail |     start −= headBytes, end += tailBytes: the caller leaves that room
 *   open   | head | body | tail |     start and end become the body's
 *
 *   aes aes-192 aes-128   nonce(16) crc(4) body, all in CFB     cfb.ts, checksummed.ts
 *   none                  nonce(16) crc(4) body, in clear       checksummed.ts
 *   aes-128-gcm           nonce(12) body tag(16)                gcm.ts
 *   null                  body                                  null.ts
 *
 * Source: kcptun.md sections 2 and 3.
 * Deviations: kcptun takes every name it does not know for `aes`; here the type rules such names out, and whoever reads the
 * configuration decides what to do with them.
 */
import { assert } from "../base/assert.ts";
import type { Batch } from "../base/batch.ts";
import { Cfb } from "./cfb.ts";
import { ChecksummedCipher } from "./checksummed.ts";
import { GcmCipher } from "./gcm.ts";
import { NullCipher } from "./null.ts";
import type { Primitives } from "./primitives.ts";

export type { Primitives } from "./primitives.ts";

/** Names as kcptun's `--crypt` spells them. */
export const cipherNames = ["aes", "aes-192", "aes-128", "none", "null", "aes-128-gcm"] as const;
export type CipherName = (typeof cipherNames)[number];

/** Bytes of a derived key, of which each cipher takes the first as many as it needs. */
export const KEY_BYTES = 32;

export interface CipherStats {
  sealed: number;
  opened: number;
  /** Datagrams shorter than head and tail: not ours. */
  shortDatagrams: number;
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
  /** Decrypts all datagrams in place. One that is short, damaged or forged is counted and gets end = start. */
  open(batch: Batch): void;
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
  }
}

function aes(name: CipherName, key: Uint8Array, primitives: Primitives): PacketCipher {
  return new ChecksummedCipher(name, new Cfb(primitives.aesEcb(key), primitives.aesCfb?.(key)), primitives);
}
