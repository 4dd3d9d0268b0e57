/**
 * `longhaul/cipher`: kcptun's packet encryption, in place, over batches.
 *
 * ```ts
 * import { primitives } from "longhaul/crypto";                            // AES and randomness of this machine; or bring your own
 * const cipher = createCipher("aes", primitives.deriveKey("secret"), primitives);
 * const batch = new Batch(64);                                             // one slab of 64 slots of SLOT_BYTES
 * batch.start[0] = batch.slot(0) + cipher.headBytes;                       // leave the cipher its room before and behind the body
 * batch.end[0] = batch.start[0] + length;
 * batch.length = 1;
 * cipher.seal(batch, 0);                                                   // start and end now enclose the whole datagram
 * cipher.open(batch);                                                      // end = start: it was damaged or forged, and is counted
 * ```
 *
 * The slab is the batch's; nothing is copied or kept. An AEAD is `aes-128-gcm` only; the others carry a CRC-32 and no proof of origin, as in kcptun.
 */
export { Batch, SLOT_BYTES } from "../base/batch.ts";
export { type CipherStats, createCipher, KEY_BYTES, type PacketCipher } from "./cipher.ts";
export * as cipher from "./index.ts";
export { type CipherName, cipherNames } from "./names.ts";
export type { CfbEncryptor, Checksum, EcbEncryptor, Gcm, Primitives } from "./primitives.ts";
