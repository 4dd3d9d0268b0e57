/**
 * Binary digits of π, which Blowfish begins with.
 *
 * Source: Machin's formula of 1706, π/4 = 4 arctan(1/5) − arctan(1/239), in integers.
 */

/** Digits that are computed and cut off again: more than the terms of both series can err by together. */
const GUARD_BITS = 64;

/** The first `count` words of 32 bits behind the binary point of π. For the 1,042 of Blowfish it takes tens of milliseconds. */
export function piFraction(count: number): Int32Array {
  const bits = BigInt(32 * count + GUARD_BITS);
  const pi = 4n * (4n * inverseArctan(5n, bits) - inverseArctan(239n, bits));
  const digits = ((pi >> BigInt(GUARD_BITS)) & ((1n << BigInt(32 * count)) - 1n)).toString(16).padStart(8 * count, "0");
  return Int32Array.from({ length: count }, (_, i) => Number.parseInt(digits.slice(8 * i, 8 * i + 8), 16));
}

/** arctan(1/x) times 2^bits, rounded: the sum of (−1)^k / ((2k + 1) x^(2k+1)). */
function inverseArctan(x: bigint, bits: bigint): bigint {
  let power = (1n << bits) / x;
  let sum = power;
  for (let divisor = 3n; power > 0n; divisor += 4n) {
    power /= x * x;
    sum -= power / divisor;
    power /= x * x;
    sum += power / (divisor + 2n);
  }
  return sum;
}
