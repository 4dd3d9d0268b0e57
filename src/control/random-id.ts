/** Names that nobody guesses: letters and digits without bias. */
import { randomBytes } from "node:crypto";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** The greatest multiple of 62 in a byte: what lies above would prefer the first letters. */
const BYTE_END = 248;

/** `length` letters and digits. */
export function randomId(length: number, letters = LETTERS): string {
  const end = letters.length === LETTERS.length ? BYTE_END : 256 - (256 % letters.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(2 * length)) {
      if (byte < end && text.length < length) text += letters[byte % letters.length]!;
    }
  }
  return text;
}
