/**
 * Units as branded numbers: free at run time, checked by the compiler.
 * Cores take time as a parameter; only `host/` reads a clock.
 */

declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]?: Name };

/** Milliseconds on a monotonic clock; fractions allowed, never negative. */
export type Millis = Unit<"ms">;
/** Microseconds on a monotonic clock. */
export type Micros = Unit<"us">;
/** Count of bytes, a non-negative integer. */
export type Bytes = Unit<"B">;
/** Bits per second. */
export type BitsPerSecond = Unit<"bit/s">;
/** 32-bit sequence number, 0…2^32−1, arithmetic modulo 2^32: only through `seq.ts`. */
export type Seq32 = Unit<"seq32">;

/** A deadline that never comes. */
export const NEVER: Millis = Number.POSITIVE_INFINITY;
