/** What the ciphers ask of the machine: block ciphers, randomness and key derivation. `host/crypto.ts` provides it; a test may fake it. */

export interface Primitives {
  /** Key of 16, 24 or 32 bytes. */
  aesEcb(key: Uint8Array): EcbEncryptor;
  /** Key of 16 bytes. */
  aesGcm(key: Uint8Array): Gcm;
  /** Key of 16, 24 or 32 bytes. Absent where a packet alone is no quicker than lock step. */
  aesCfb?(key: Uint8Array): CfbEncryptor;
  /** Fills `into` with cryptographically strong random bytes. */
  random(into: Uint8Array): void;
  /** PBKDF2-HMAC-SHA1 (RFC 8018 section 5.2): `bytes` fresh bytes. */
  pbkdf2Sha1(password: Uint8Array, salt: string, iterations: number, bytes: number): Uint8Array;
  /** The 32-byte key kcptun derives from `--key`: PBKDF2-HMAC-SHA1, salt "kcp-go", 4096 iterations. Takes milliseconds. */
  deriveKey(password: string): Uint8Array;
  /** CRC-32 as `crc32.ts` computes it, where the machine is quicker than TypeScript. */
  crc32?: Checksum;
}

/** CRC-32 (IEEE) of view[start…end), 0…2^32−1. */
export type Checksum = (view: DataView, start: number, end: number) => number;

/** A block cipher under one key, block by block: of the machine (AES) or in TypeScript (the others). */
export interface EcbEncryptor {
  readonly blockBytes: 8 | 16;
  /**
   * Encrypts whole blocks: `bytes`, a multiple of the block size, from input[inputAt…) to output[0…).
   * Both views are borrowed for the call and may be the same one, then with inputAt = 0.
   */
  encrypt(input: DataView, output: DataView, bytes: number, inputAt?: number): void;
}

export interface CfbEncryptor {
  /**
   * Encrypts bytes[start + 16…end) in place, the 16 bytes at `start` being the ciphertext block before them.
   * Needs end − start ≥ 16.
   */
  encrypt(bytes: Uint8Array, start: number, end: number): void;
  /** Packets from which one ECB call a row of blocks is quicker than this, packet by packet. */
  readonly lockStepFrom: number;
}

/** AES-GCM with a 12-byte nonce, a 16-byte tag and no associated data; datagram = nonce | text | tag. */
export interface Gcm {
  /** The nonce lies at `start`, the text at start + 12…end; the text is encrypted in place and the tag written to end…end + 16. */
  seal(bytes: Uint8Array, start: number, end: number): void;
  /** The whole datagram is start…end, at least 28 bytes. False when it is forged; its text is then garbage and must not be used. */
  open(bytes: Uint8Array, start: number, end: number): boolean;
}
