/** An address as the program's tables have it: 16 bytes in network order, IPv4 in mapped form; here as words of 32 bits of a machine that is little-endian. */
import type { Family } from "../ip-range.ts";

export function putAddress(words: Int32Array, at: number, family: Family, address: bigint): void {
  // By way of memory: a call that makes a number of each of many addresses costs more than all else of it.
  wide[0] = address;
  if (family === 4) {
    putIpv4(words, at, halves[0]!);
    return;
  }
  words[at + 2] = swapped(halves[1]!);
  words[at + 3] = swapped(halves[0]!);
  wide[0] = address >> 64n;
  words[at] = swapped(halves[1]!);
  words[at + 1] = swapped(halves[0]!);
}

/** `address`: 32 bits. */
export function putIpv4(words: Int32Array, at: number, address: number): void {
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = MAPPED;
  words[at + 3] = swapped(address);
}

/** A port in network order, as the lower half of a word. */
export function swappedPort(port: number): number {
  return ((port & 0xff) << 8) | (port >> 8);
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

const wide = new BigUint64Array(1);
const halves = new Int32Array(wide.buffer);
/** The bytes 0, 0, 255, 255. */
const MAPPED = 0xffff_0000 | 0;
