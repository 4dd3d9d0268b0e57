/**
 * The keys that udp2raw derives from a password.
 *
 *   normal          MD5(password ‖ "key1")                                       both directions; every auth mode but hmac_sha1
 *   PRK             PBKDF2-HMAC-SHA256(password, MD5("udp2raw_salt1"), 10,000)
 *   cipher, hmac    HKDF-SHA256-Expand(PRK, "cipher_key client-->server" …)      one pair for each direction
 *   gro             HKDF-SHA256-Expand(PRK, "gro")
 *
 * Source: reference udp2raw.md section 3. The password ends at its first blank and leading blanks are skipped, as the original's sscanf does;
 * its default, "secret key", keeps its blank.
 */
import { type AeadKeys, deriveAeadKeys } from "./aead.ts";
import { AEAD_MODE } from "./cipher-mode.ts";
import type { Primitives } from "./primitives.ts";

export interface DirectionKeys {
  /** 16 bytes. */
  readonly cipher: Uint8Array;
  /** 20 bytes. */
  readonly hmac: Uint8Array;
}

export interface Keys {
  /** 16 bytes. */
  readonly normal: Uint8Array;
  readonly clientToServer: DirectionKeys;
  readonly serverToClient: DirectionKeys;
  /** 2 bytes, which hide the length that fix-gro puts before a packet. */
  readonly gro: Uint8Array;
  /** Of aes128gcm, where that is used: deriving them takes long. */
  readonly aead?: AeadKeys;
}

export const DEFAULT_PASSWORD = "secret key";

/** A password given with `-k`, as the original reads it. */
export function passwordOf(given: string): string {
  return given.trimStart().split(/\s/)[0] ?? "";
}

/** Takes milliseconds, and a hundred for the cipher mode that has keys of its own. */
export function deriveKeys(password: string, primitives: Primitives, cipherMode?: string): Keys {
  const secret = ascii(password);
  const prk = primitives.pbkdf2Sha256(secret, md5(ascii("udp2raw_salt1"), primitives), PBKDF2_ITERATIONS, 32);
  const expand = (info: string, bytes: number): Uint8Array => hkdfExpand(prk, info, bytes, primitives);
  const direction = (name: string): DirectionKeys => ({
    cipher: expand(`cipher_key ${name}`, 16),
    hmac: expand(`hmac_key ${name}`, 20),
  });
  return {
    normal: md5(Uint8Array.from([...secret, ...ascii("key1")]), primitives),
    clientToServer: direction("client-->server"),
    serverToClient: direction("server-->client"),
    gro: expand("gro", 2),
    ...(cipherMode === AEAD_MODE ? { aead: deriveAeadKeys(password, primitives) } : {}),
  };
}

/** RFC 5869 section 2.3; bytes ≤ 32. */
function hkdfExpand(prk: Uint8Array, info: string, bytes: number, { hmacSha256 }: Primitives): Uint8Array {
  return hmacSha256(prk, Uint8Array.from([...ascii(info), 1])).slice(0, bytes);
}

function md5(message: Uint8Array, primitives: Primitives): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(message.length + 16));
  bytes.set(message);
  primitives.md5(bytes, 0, message.length, message.length);
  return bytes.slice(message.length);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const PBKDF2_ITERATIONS = 10_000;
