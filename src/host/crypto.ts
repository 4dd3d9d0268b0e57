/**
 * Cryptographic primitives of this machine.
 *
 *   "openssl"   the OpenSSL inside the node executable, by foreign calls straight on the slab: about 50 ns a call, nothing allocated
 *   "node"      node:crypto, where koffi or the symbols are missing: allocates a Buffer a call
 *
 * Both give the same bytes; `primitives` is the first that works.
 */
import { pbkdf2Sync, randomFillSync } from "node:crypto";
import type { Primitives } from "../cipher/primitives.ts";
import { nodePrimitives } from "./crypto-node.ts";
import { opensslPrimitives } from "./crypto-openssl.ts";

/** What a set of primitives must bring besides what is the same everywhere. */
export type BlockPrimitives = Omit<Primitives, "random" | "deriveKey">;

export type CryptoKind = "openssl" | "node";

/** Primitives of one kind; undefined when this machine does not have it. */
export function cryptoOf(kind: CryptoKind): Primitives | undefined {
  const block = kind === "openssl" ? opensslPrimitives() : nodePrimitives();
  return block && { ...block, random, deriveKey };
}

function random(into: Uint8Array): void {
  randomFillSync(into);
}

function deriveKey(password: string): Uint8Array {
  return new Uint8Array(pbkdf2Sync(password, "kcp-go", 4096, 32, "sha1"));
}

const openssl = cryptoOf("openssl");

/** For the log line at start. */
export const cryptoKind: CryptoKind = openssl ? "openssl" : "node";

/** The best this machine has. */
export const primitives: Primitives = openssl ?? cryptoOf("node")!;
