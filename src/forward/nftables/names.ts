/** Names made of contents, so that equal things are one thing and a later process finds them again. */

/** 48 bits of two FNV-1a sums, in hex. Not for secrets. */
export function digest(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code ^ (i & 0xff), 0x01000193);
  }
  return (low >>> 0).toString(16).padStart(8, "0") + ((high >>> 8) & 0xffff).toString(16).padStart(4, "0");
}

/** 32 bits, never 0. */
export function digest32(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0 || 1;
}
