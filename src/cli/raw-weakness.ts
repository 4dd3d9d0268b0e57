/** What is weak about udp2raw's modes, in words. Source: reference udp2raw.md section 9. */
import { AEAD_MODE } from "../faketcp/cipher-mode.ts";
import type { RawCipherMode, RawSettings } from "./raw-settings.ts";

type AuthMode = RawSettings["authMode"];

/** Somebody else can read or write packets, or guess the password offline at once. */
export function isWeak(cipherMode: RawCipherMode, authMode: AuthMode): boolean {
  return cipherMode !== AEAD_MODE && !(cipherMode.startsWith("aes128") && authMode === "hmac_sha1");
}

export function weakness(cipherMode: RawCipherMode, authMode: AuthMode): string {
  if (cipherMode === AEAD_MODE) return "no forward secrecy: who learns the password can read what was recorded before";
  if (cipherMode === "none") return `nothing is encrypted${authMode === "hmac_sha1" ? "" : ", and anybody may write packets of their own"}`;
  if (cipherMode === "xor") return "one recorded heartbeat, whose bytes are zeros, gives away the key of xor, and with it everything";
  if (authMode === "hmac_sha1")
    return "no forward secrecy: who learns the password can read what was recorded before, and its derivation is slow but salted alike for everybody";
  if (authMode === "none")
    return "packets are not checked at all, so anybody can disturb the connection, and the key is a single MD5 of the password";
  return `${authMode} is no proof of who wrote a packet, and the key is a single MD5 of the password: guessed offline at billions a second`;
}
