/**
 * Secrets at rest: AES-256-GCM under the installation's master key, which lies beside the database, never in it.
 *
 *   sealed = base64( nonce 12 | ciphertext | tag 16 ), bound to a purpose so that one column's secret cannot be moved to another
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { ConfigError } from "../base/errors.ts";

export const MASTER_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Seal {
  readonly #key: Uint8Array;

  /** `key`: 32 bytes, kept by reference. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(purpose: string, secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(purpose));
    return Buffer.concat([nonce, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
  }

  /** @throws Error when it was sealed with another key or for another purpose, or was changed */
  open(purpose: string, sealed: string): string {
    const bytes = Buffer.from(sealed, "base64");
    const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    return decipher.update(body, undefined, "utf8") + decipher.final("utf8");
  }
}

/** The master key from a file of 64 hex digits, made at the first start with permissions for its owner alone. @throws ConfigError */
export function masterKey(path: string): Uint8Array {
  try {
    writeFileSync(path, `${randomBytes(MASTER_KEY_BYTES).toString("hex")}\n`, { flag: "wx", mode: 0o600 });
    chmodSync(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST")
      throw new ConfigError("data", `--data: ${path} cannot be written (${(error as NodeJS.ErrnoException).code}); give a folder that can`);
  }
  const text = readFileSync(path, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ConfigError("data", `--data: ${path} is not a master key; 64 hex digits are`);
  return Buffer.from(text, "hex");
}
