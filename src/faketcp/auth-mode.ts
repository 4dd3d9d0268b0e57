/**
 * udp2raw's checks of a packet: a checksum of the plain text that is encrypted with it, or, hmac_sha1, a MAC of the ciphertext.
 * Only hmac_sha1 keeps out somebody who knows the format. Source: reference udp2raw.md section 4.
 */
import type { Checksum } from "./checksum.ts";
import type { DirectionKeys } from "./keys.ts";
import type { Mac, Primitives } from "./primitives.ts";

export const authModes = ["hmac_sha1", "md5", "crc32", "simple", "none"] as const;
export type AuthMode = (typeof authModes)[number];

export interface Auth {
  /** Length of what is appended. */
  readonly bytes: number;
  /** Of the ciphertext, so that nothing is decrypted that is not genuine; otherwise of the plain text, and encrypted. */
  readonly outside: boolean;
  /** Writes the check of bytes[start…end) behind it. */
  readonly write: (bytes: Uint8Array, start: number, end: number) => void;
  /** Whether the check that ends at `end` is that of what precedes it; end − start ≥ `bytes`. */
  readonly matches: (bytes: Uint8Array, start: number, end: number) => boolean;
}

/** `key` is that of the direction. */
export function authOf(mode: AuthMode, key: DirectionKeys, primitives: Primitives, crc32: Checksum): Auth {
  switch (mode) {
    case "hmac_sha1":
      return auth(20, true, primitives.hmacSha1(key.hmac));
    case "md5":
      return auth(16, false, primitives.md5);
    case "crc32":
      return auth(4, false, (bytes, start, end, at) => writeU32(bytes, at, crc32(bytes, start, end)));
    case "simple":
      return auth(8, false, simple);
    case "none":
      return auth(0, false, () => undefined);
  }
}

function auth(length: number, outside: boolean, mac: Mac): Auth {
  // At the end of a buffer there may be no room behind a packet: what is computed for comparison goes here, with the packet before it.
  let scratch = new Uint8Array(new ArrayBuffer(4096));
  return {
    bytes: length,
    outside,
    write: (bytes, start, end) => mac(bytes, start, end, end),
    matches: (bytes, start, end) => {
      if (length === 0) return true;
      const text = end - length;
      const n = text - start;
      if (n + length > scratch.length) scratch = new Uint8Array(new ArrayBuffer(n + length));
      scratch.set(bytes.subarray(start, text));
      mac(scratch, 0, n, n);
      let difference = 0;
      for (let i = 0; i < length; i++) difference |= scratch[n + i]! ^ bytes[text + i]!;
      return difference === 0;
    },
  };
}

/** Two string hashes, djb2 with xor and sdbm. */
const simple: Mac = (bytes, start, end, at) => {
  let djb2 = 5381;
  let sdbm = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    djb2 = (Math.imul(djb2, 33) ^ byte) | 0;
    sdbm = (byte + (sdbm << 6) + (sdbm << 16) - sdbm) | 0;
  }
  writeU32(bytes, at, djb2);
  writeU32(bytes, at + 4, sdbm);
};

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
