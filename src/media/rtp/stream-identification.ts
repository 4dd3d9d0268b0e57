/**
 * Header extensions that carry SDES items, to tell which stream of the session description a new SSRC is.
 *
 *   mid      the m= section               RFC 9143 section 15.1
 *   rid      the encoding in it           RFC 8852 section 3.1
 *   rrid     of a retransmission: the encoding it repairs
 *
 * The value is text without terminator (RFC 7941). Every packet of a new SSRC has it until the receiver is known to have heard it, so a value
 * is first compared in place (`isIdentification`), and becomes a string once a source.
 */
import type { Bytes } from "../../base/units.ts";

export const MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid";
export const RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
export const RRID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";

/** What the one-byte form can carry; sessions described here use no longer ones. */
const TEXT_BYTES_MAX: Bytes = 16;

/** The text bytes[start…end), or undefined when it is no identifier: 1…16 characters of a token (RFC 8866). */
export function readIdentification(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end <= start || end - start > TEXT_BYTES_MAX) return undefined;
  let text = "";
  for (let i = start; i < end; i++) {
    if (!isTokenCharacter(bytes[i]!)) return undefined;
    text += String.fromCharCode(bytes[i]!);
  }
  return text;
}

/** Whether bytes[start…end) is `text`; allocates nothing. */
export function isIdentification(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Writes `text`, which is ASCII and for which there must be room. */
export function writeIdentification(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** RFC 8866 "token-char": visible ASCII without the separators. */
function isTokenCharacter(code: number): boolean {
  if (code <= 0x20 || code >= 0x7f) return false;
  return (
    code !== 0x22 &&
    code !== 0x28 &&
    code !== 0x29 &&
    code !== 0x2c &&
    code !== 0x2f &&
    !(code >= 0x3a && code <= 0x40) &&
    !(code >= 0x5b && code <= 0x5d)
  );
}
