/** Primitives through node:crypto: everywhere available, several times slower than foreign calls because each call allocates. */
import { type Cipheriv, createCipheriv, createDecipheriv } from "node:crypto";
import { assert } from "../base/assert.ts";
import type { CfbEncryptor, EcbEncryptor, Gcm } from "../cipher/primitives.ts";
import type { BlockPrimitives } from "./crypto.ts";

const BLOCK_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function nodePrimitives(): BlockPrimitives {
  return {
    aesEcb: (key) => new NodeEcb(key),
    aesCfb: (key) => new NodeCfb(key),
    aesGcm: (key) => new NodeGcm(key),
  };
}

class NodeEcb implements EcbEncryptor {
  readonly blockBytes = BLOCK_BYTES;
  readonly #cipher: Cipheriv;

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  }

  encrypt(input: DataView, output: DataView, bytes: number, inputAt = 0): void {
    assert(bytes % BLOCK_BYTES === 0, "ECB takes whole blocks");
    const made = this.#cipher.update(new Uint8Array(input.buffer, input.byteOffset + inputAt, bytes));
    new Uint8Array(output.buffer, output.byteOffset, bytes).set(made);
  }
}

class NodeCfb implements CfbEncryptor {
  /** Making a cipher costs about as much as a dozen calls of one that exists (bench/cipher.ts). */
  readonly lockStepFrom = 16;
  readonly #key: Uint8Array;
  readonly #name: string;

  constructor(key: Uint8Array) {
    this.#key = key.slice();
    this.#name = `aes-${key.length * 8}-cfb`;
  }

  encrypt(bytes: Uint8Array, start: number, end: number): void {
    const text = start + BLOCK_BYTES;
    const cipher = createCipheriv(this.#name, this.#key, bytes.subarray(start, text));
    bytes.set(cipher.update(bytes.subarray(text, end)), text);
  }
}

class NodeGcm implements Gcm {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key.slice();
  }

  seal(bytes: Uint8Array, start: number, end: number): void {
    const text = start + NONCE_BYTES;
    const cipher = createCipheriv("aes-128-gcm", this.#key, bytes.subarray(start, text));
    bytes.set(cipher.update(bytes.subarray(text, end)), text);
    cipher.final();
    bytes.set(cipher.getAuthTag(), end);
  }

  open(bytes: Uint8Array, start: number, end: number): boolean {
    const text = start + NONCE_BYTES;
    const tag = end - TAG_BYTES;
    const decipher = createDecipheriv("aes-128-gcm", this.#key, bytes.subarray(start, text));
    decipher.setAuthTag(bytes.subarray(tag, end));
    bytes.set(decipher.update(bytes.subarray(text, tag)), text);
    try {
      decipher.final();
      return true;
    } catch {
      // A wrong tag is the only thing that can fail here.
      return false;
    }
  }
}
