/** What the faketcp core asks of the machine. `host/faketcp-crypto.ts` provides it. All views are borrowed for the call; ranges are those of `bytes`. */

export interface Primitives {
  /** AES-128-CBC with an IV of zeros for every call, no padding. */
  aesCbc(key: Uint8Array): Blocks;
  /** AES-128-CFB (128 bit) with an IV of zeros for every call. */
  aesCfb(key: Uint8Array): Blocks;
  /** AES-128 of whole blocks, each by itself. */
  aesEcb(key: Uint8Array): Blocks;
  /** AES-128-GCM. */
  aesGcm(key: Uint8Array): Aead;
  /** Writes the 16 bytes of MD5(bytes[start…end)) to bytes[at…). */
  md5(bytes: Uint8Array, start: number, end: number, at: number): void;
  /** Writes the 20 bytes of HMAC-SHA1(key, bytes[start…end)) to bytes[at…). */
  hmacSha1(key: Uint8Array): Mac;
  /** HMAC-SHA256 (RFC 2104): 32 fresh bytes. Only for keys. */
  hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array;
  /** PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2): fresh bytes. Takes milliseconds. */
  pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number, bytes: number): Uint8Array;
}

/** With a nonce of 12 bytes before the text, a tag of 16 behind it, and nothing that is only authenticated. */
export interface Aead {
  /** The nonce lies at `start`, the text at start + 12…end; it is encrypted in place and the tag written to end…end + 16. */
  seal(bytes: Uint8Array, start: number, end: number): void;
  /** Nonce, text and tag are bytes[start…end), at least 28. False when it is forged; its text is garbage then. */
  open(bytes: Uint8Array, start: number, end: number): boolean;
}

/** In place, bytes[start…end). */
export interface Blocks {
  encrypt(bytes: Uint8Array, start: number, end: number): void;
  decrypt(bytes: Uint8Array, start: number, end: number): void;
}

export type Mac = (bytes: Uint8Array, start: number, end: number, at: number) => void;
