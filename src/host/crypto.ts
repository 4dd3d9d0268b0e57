/**
 * Cryptographic primitives of this machine.
 *
 *   "openssl"   the OpenSSL inside the node executable, by foreign calls straight on the slab: about 50 ns a call, nothing allocated
 *   "node"      node:crypto, where koffi or the symbols are missing: allocates a Buffer a call
 *
 * Both give the same bytes; `primitives` is the first that works.
 */
import { createHmac, pbkdf2Sync, randomFillSync } from "node:crypto";
import type { Primitives as CipherPrimitives } from "../cipher/primitives.ts";
import type { Primitives as QppPrimitives } from "../qpp/primitives.ts";
import { nodePrimitives } from "./crypto-node.ts";
import { opensslPrimitives } from "./crypto-openssl.ts";

export type Primitives = CipherPrimitives & QppPrimitives;

/** What a set of primitives must bring besides what is the same everywhere. */
export type BlockPrimitives = Omit<Primitives, "random" | "deriveKey" | "pbkdf2Sha1" | "hmacSha256">;

export type CryptoKind = "openssl" | "node";

/** Primitives of one kind; undefined when this machine does not have it. */
export function cryptoOf(kind: CryptoKind): Primitives | undefined {
  const block = kind === "openssl" ? opensslPrimitives() : nodePrimitives();
  return block && { ...block, random, deriveKey, pbkdf2Sha1, hmacSha256 };
}

function random(into: Uint8Array): void {
  randomFillSync(into);
}

function deriveKey(password: string): Uint8Array {
  return new Uint8Array(pbkdf2Sync(password, "kcp-go", 4096, 32, "sha1"));
}

function pbkdf2Sha1(password: Uint8Array, salt: string, iterations: number, bytes: number): Uint8Array {
  return new Uint8Array(pbkdf2Sync(password, salt, iterations, bytes, "sha1"));
}

function hmacSha256(key: Uint8Array, message: string): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(message).digest());
}

const openssl = cryptoOf("openssl");

/** For the log line at start. */
export const cryptoKind: CryptoKind = openssl ? "openssl" : "node";

/** The best this machine has. */
export const primitives: Primitives = openssl ?? cryptoOf("node")!;
