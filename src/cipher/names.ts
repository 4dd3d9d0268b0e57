/** Names of ciphers as kcptun's `--crypt` spells them; what they stand for says cipher.ts. */
export const cipherNames = [
  ...(["aes", "aes-192", "aes-128", "none", "null", "aes-128-gcm"] as const),
  ...(["salsa20", "blowfish", "twofish", "cast5", "3des", "tea", "xtea", "xor", "sm4"] as const),
] as const;
export type CipherName = (typeof cipherNames)[number];
