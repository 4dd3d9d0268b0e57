/** What QPP asks of the machine to make its pads. `host/crypto.ts` provides it. */

export interface Primitives {
  /** AES with a key of 32 bytes. */
  aesEcb(key: Uint8Array): Ecb;
  /** PBKDF2-HMAC-SHA1 (RFC 8018 section 5.2): `bytes` fresh bytes. */
  pbkdf2Sha1(password: Uint8Array, salt: string, iterations: number, bytes: number): Uint8Array;
  /** HMAC-SHA256 (RFC 2104) of ASCII text: 32 fresh bytes. */
  hmacSha256(key: Uint8Array, message: string): Uint8Array;
}

export interface Ecb {
  /** Encrypts whole blocks of 16 bytes: `bytes` of input[0…) to output[0…). Both views are borrowed and may be the same one. */
  encrypt(input: DataView, output: DataView, bytes: number): void;
}
