/** A range of numbers as the fewest prefixes: what a longest-prefix table can hold. */

export interface Prefix {
  readonly value: bigint;
  /** Leading bits that count. */
  readonly bits: number;
}

/** `width`: bits of the numbers; first ≤ last < 2^width. At most 2 × width prefixes. */
export function prefixesOf(first: bigint, last: bigint, width: number): Prefix[] {
  const prefixes: Prefix[] = [];
  let at = first;
  while (at <= last) {
    let free = 0;
    // The longest block that begins here and does not end behind the last.
    while (free < width && (at & ((1n << BigInt(free + 1)) - 1n)) === 0n && at + (1n << BigInt(free + 1)) - 1n <= last) free++;
    prefixes.push({ value: at, bits: width - free });
    at += 1n << BigInt(free);
  }
  return prefixes;
}
