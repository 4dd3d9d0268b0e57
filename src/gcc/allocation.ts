/**
 * Shares one rate among streams: the arithmetic of the allocator.
 *
 *   rate ─▶ 0: nothing ─▶ too little for all: minima, those that run first ─▶ up to Σ max: minima, then by weight ─▶ above: up to 2 × max
 *
 *   low      enforced minima, even beyond the rate ─▶ streams that ran, then paused ones, each with its hysteresis ─▶ rest evenly, ≤ 1 × max
 *   normal   minima ─▶ priority rates in order ─▶ water-filling by weight, ≤ max
 *   plenty   maxima ─▶ rest evenly, ≤ 2 × max: room for FEC and retransmissions
 *
 * A stream that was paused resumes only at its minimum + max(10 %, 20 kbit/s), so that it does not flap; what it spent on protection counts on top.
 *
 * Source: reference/gcc.md H; libwebrtc 2026-08-22 call/bitrate_allocator.
 *
 * Deviations: elastic streams (a trial there) are left out.
 */
import type { BitsPerSecond } from "../base/units.ts";

/** Tuning of libwebrtc. */
const TOGGLE_FACTOR = 0.1;
const TOGGLE_MIN: BitsPerSecond = 20_000;
const TRANSMISSION_MAX_MULTIPLIER = 2;

/** A stream as the arithmetic sees it. */
export interface Share {
  readonly min: BitsPerSecond;
  readonly max: BitsPerSecond;
  /** Given before weights count, in order of the streams. */
  readonly priorityBitrate: BitsPerSecond;
  /** The stream gets its minimum even when there is less: it is never paused. */
  readonly enforceMin: boolean;
  /** Weight of the stream, above 0. */
  readonly weight: number;
  /** What it got last time; −1 = it is new. */
  allocated: BitsPerSecond;
  /** Share of the last allocation that was media and not protection, 0…1. */
  mediaRatio: number;
  /** The result. */
  next: BitsPerSecond;
}

/** Fills `next` of every stream. */
export function allocate(shares: readonly Share[], rate: BitsPerSecond): void {
  let sumMin = 0;
  let sumMax = 0;
  for (const share of shares) {
    share.next = 0;
    sumMin += share.min;
    sumMax += share.max;
  }
  if (rate <= 0 || shares.length === 0) return;
  if (!enoughForAll(shares, rate, sumMin)) allocateLow(shares, rate);
  else if (rate <= sumMax) allocateNormal(shares, rate, sumMin);
  else allocatePlenty(shares, rate, sumMax);
}

/** What a stream must be given to run; also the padding it asks for while it is paused. */
export function minWithHysteresis(share: Share): BitsPerSecond {
  const toggle = share.allocated === 0 ? Math.max(TOGGLE_FACTOR * share.min, TOGGLE_MIN) : 0;
  const needed = share.min + toggle;
  return share.mediaRatio > 0 && share.mediaRatio < 1 ? needed * (2 - share.mediaRatio) : needed;
}

function enoughForAll(shares: readonly Share[], rate: BitsPerSecond, sumMin: BitsPerSecond): boolean {
  if (rate < sumMin) return false;
  const extra = (rate - sumMin) / shares.length;
  return shares.every((share) => share.min + extra >= minWithHysteresis(share));
}

function allocateLow(shares: readonly Share[], rate: BitsPerSecond): void {
  let left = rate;
  for (const share of shares) {
    if (!share.enforceMin) continue;
    share.next = share.min;
    left -= share.min;
  }
  for (const paused of [false, true]) {
    for (const share of shares) {
      if (share.enforceMin || (share.allocated === 0) !== paused) continue;
      const needed = minWithHysteresis(share);
      if (left < needed) continue;
      share.next = needed;
      left -= needed;
    }
  }
  if (left > 0) {
    distributeEvenly(
      shares.filter(({ next }) => next > 0),
      left,
      1,
    );
  }
}

function allocateNormal(shares: readonly Share[], rate: BitsPerSecond, sumMin: BitsPerSecond): void {
  let left = rate - sumMin;
  for (const share of shares) {
    const extra = Math.max(0, Math.min(Math.min(share.priorityBitrate, share.max) - share.min, left));
    share.next = share.min + extra;
    left -= extra;
  }
  // Who is full first, by weight, is served first: then what is left needs no second round.
  const byRoom = [...shares].sort((a, b) => (a.max - a.next) / a.weight - (b.max - b.next) / b.weight);
  let weights = shares.reduce((sum, { weight }) => sum + weight, 0);
  for (const share of byRoom) {
    const extra = Math.min(share.max - share.next, (left * share.weight) / weights);
    share.next += extra;
    left -= extra;
    weights -= share.weight;
  }
}

function allocatePlenty(shares: readonly Share[], rate: BitsPerSecond, sumMax: BitsPerSecond): void {
  for (const share of shares) share.next = share.max;
  distributeEvenly(shares, rate - sumMax, TRANSMISSION_MAX_MULTIPLIER);
}

function distributeEvenly(shares: readonly Share[], rate: BitsPerSecond, maxMultiplier: number): void {
  let left = rate;
  let streams = shares.length;
  for (const share of [...shares].sort((a, b) => a.max - b.max)) {
    const room = Math.max(0, maxMultiplier * share.max - share.next);
    const extra = Math.min(room, left / streams--);
    share.next += extra;
    left -= extra;
  }
}
