/** Sequence arithmetic modulo 2^32 (RFC 1982 with SERIAL_BITS = 32). */
import type { Seq32 } from "./units.ts";

/** Signed distance a − b, −2^31…2^31−1: positive when `a` is newer. */
export function seqDiff(a: Seq32, b: Seq32): number {
  return (a - b) | 0;
}

/** `a` is older than `b`. */
export function seqLess(a: Seq32, b: Seq32): boolean {
  return ((a - b) | 0) < 0;
}

/** `a` advanced by `n`, which may be negative. */
export function seqAdd(a: Seq32, n: number): Seq32 {
  return (a + n) >>> 0;
}
