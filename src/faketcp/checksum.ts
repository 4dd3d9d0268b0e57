import { isInside, kernels } from "../kernel/kernels.ts";

/** CRC-32 (IEEE 802.3) of bytes[start…end), 0…2^32−1. */
export type Checksum = (bytes: Uint8Array, start: number, end: number) => number;

/**
 * The Internet checksum (RFC 1071): the ones' complement sum of bytes[start…end), an odd last byte filled up with zero, started with `sum`.
 * Not folded and not inverted, so that pseudo header, header and payload can be added up.
 */
export function addInternet(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  if (end - start >= KERNEL_FROM && isInside(bytes)) return addInMemoryOrder(sum, kernels()!.run.sum16(start, end));
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) total += bytes[at]! << 8;
  return total;
}

/** A sum of words whose bytes are exchanged: so are those of its folded value. */
function addInMemoryOrder(sum: number, words: number): number {
  let folded = words >>> 0;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return sum + (((folded & 0xff) << 8) | (folded >>> 8));
}

/** Tuning: shorter ranges are added up here. */
const KERNEL_FROM = 64;

/** What goes into a header: the complement of the folded sum. */
export function foldInternet(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
