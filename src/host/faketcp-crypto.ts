/** The faketcp core's primitives: OpenSSL by foreign calls, or node:crypto where koffi or the symbols are missing. Both give the same bytes. */
import { createCipheriv, createDecipheriv, createHash, createHmac, pbkdf2Sync, randomFillSync } from "node:crypto";
import { crc32 as zlibCrc32 } from "node:zlib";
import type { Checksum } from "../faketcp/checksum.ts";
import type { Fill } from "../faketcp/packet.ts";
import type { Blocks, Primitives } from "../faketcp/primitives.ts";
import { type CryptoKind, cryptoOf } from "./crypto.ts";
import { opensslBlocks } from "./faketcp-crypto-openssl.ts";

/** Primitives of one kind; undefined when this machine does not have it. */
export function faketcpPrimitivesOf(kind: CryptoKind): Primitives | undefined {
  try {
    return { ...(kind === "openssl" ? opensslBlocks() : nodeBlocks), aesGcm: cryptoOf(kind)!.aesGcm, hmacSha256, pbkdf2Sha256 };
  } catch {
    return undefined;
  }
}

/** The best this machine has. */
export const faketcpPrimitives: Primitives = faketcpPrimitivesOf("openssl") ?? faketcpPrimitivesOf("node")!;

export const crc32: Checksum = (bytes, start, end) => zlibCrc32(bytes.subarray(start, end));

/** Drawn ahead, since asking for a few bytes costs as much as for thousands; what was handed out is not kept. */
const drawn = new Uint8Array(new ArrayBuffer(4096));
let next = drawn.length;

export const randomFill: Fill = (bytes, start, end) => {
  for (let at = start; at < end; at++) {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    bytes[at] = drawn[next]!;
    drawn[next++] = 0;
  }
};

const nodeBlocks: Pick<Primitives, "aesCbc" | "aesCfb" | "aesEcb" | "md5" | "hmacSha1"> = {
  aesCbc: (key) => blocks("aes-128-cbc", key),
  aesCfb: (key) => blocks("aes-128-cfb", key),
  aesEcb: (key) => blocks("aes-128-ecb", key),
  md5: (bytes, start, end, at) => bytes.set(createHash("md5").update(bytes.subarray(start, end)).digest(), at),
  hmacSha1: (key) => (bytes, start, end, at) => bytes.set(createHmac("sha1", key).update(bytes.subarray(start, end)).digest(), at),
};

function blocks(name: string, key: Uint8Array): Blocks {
  const iv = name === "aes-128-ecb" ? null : new Uint8Array(16);
  return {
    encrypt: (bytes, start, end) =>
      bytes.set(createCipheriv(name, key, iv).setAutoPadding(false).update(bytes.subarray(start, end)), start),
    decrypt: (bytes, start, end) =>
      bytes.set(createDecipheriv(name, key, iv).setAutoPadding(false).update(bytes.subarray(start, end)), start),
  };
}

function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(message).digest());
}

function pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number, bytes: number): Uint8Array {
  return new Uint8Array(pbkdf2Sync(password, salt, iterations, bytes, "sha256"));
}
