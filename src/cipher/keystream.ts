/** What every cipher here ends in: a packet XORed with a keystream. */

/**
 * XORs view[start…end) with the first end − start bytes of the keystream, given as words and as bytes of the same buffer.
 * Words are taken in the byte order of the machine, which must be little endian, as every platform of Node here is.
 * `| 0` tells the compiler that no sum overflows, which it would otherwise check at every word.
 */
export function xorKeystream(view: DataView, start: number, end: number, words: Int32Array, bytes: Uint8Array): void {
  const whole = (start + ((end - start) & ~15)) | 0;
  let at = start | 0;
  for (let w = 0; at < whole; at = (at + 16) | 0) {
    view.setInt32(at, view.getInt32(at, true) ^ words[w]!, true);
    view.setInt32((at + 4) | 0, view.getInt32((at + 4) | 0, true) ^ words[w + 1]!, true);
    view.setInt32((at + 8) | 0, view.getInt32((at + 8) | 0, true) ^ words[w + 2]!, true);
    view.setInt32((at + 12) | 0, view.getInt32((at + 12) | 0, true) ^ words[w + 3]!, true);
    w = (w + 4) | 0;
  }
  for (; at < end; at++) view.setUint8(at, view.getUint8(at) ^ bytes[at - start]!);
}
