/**
 * NTP timestamps as RTCP carries them (RFC 3550 section 4): seconds since 1900 as 32.32 fixed point, or its middle 32 bits, "compact NTP",
 * in units of 1/65536 s that wrap every 18.2 hours.
 *
 *   ┌ seconds, 32 ──────────┬ fraction, 32 ─────────┐
 *               └ compact, 16.16 ───────┘
 *
 * Cores have no clock: the caller says what time it is in Unix milliseconds (fractions allowed). Seconds below 2^31 are read as those of
 * the era that begins in 2036 (RFC 4330 section 3), which is right from 1968 to 2104.
 */
import type { Millis } from "../../base/units.ts";

const UNIX_EPOCH_SECONDS = 2_208_988_800;
const ERA_SECONDS = 4_294_967_296;
const COMPACT_PER_MILLI = 65.536;

/** Seconds field of the NTP timestamp. */
export function ntpSeconds(unixMillis: Millis): number {
  return (Math.floor(unixMillis / 1000) + UNIX_EPOCH_SECONDS) >>> 0;
}

/** Fraction field of the NTP timestamp, in 2^−32 s. */
export function ntpFraction(unixMillis: Millis): number {
  return Math.floor((unixMillis / 1000 - Math.floor(unixMillis / 1000)) * ERA_SECONDS);
}

/** Unix milliseconds of an NTP timestamp. */
export function unixMillisOf(seconds: number, fraction: number): Millis {
  const era = seconds < 0x80000000 ? ERA_SECONDS : 0;
  return (seconds + era - UNIX_EPOCH_SECONDS) * 1000 + (fraction * 1000) / ERA_SECONDS;
}

/** The middle 32 bits. */
export function compactNtp(seconds: number, fraction: number): number {
  return ((seconds << 16) | (fraction >>> 16)) >>> 0;
}

/** A duration in units of 1/65536 s, rounded and held within 0…2^32−1. */
export function compactDuration(duration: Millis): number {
  return Math.min(Math.max(Math.round(duration * COMPACT_PER_MILLI), 0), 0xffffffff);
}

/** Milliseconds of a duration in units of 1/65536 s. */
export function millisOfCompact(duration: number): Millis {
  return duration / COMPACT_PER_MILLI;
}
