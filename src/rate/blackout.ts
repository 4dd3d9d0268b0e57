/**
 * A path that carried nothing for a moment (a handover, a roaming radio, a route that moved): nothing at all came back meanwhile, and all that was sent is missing, in one piece if
 * the moment was shorter than a round trip. That tells nothing of how much the path carries; a queue that overflows, or a policer, loses here and there for as long as too much is sent, and is never silent.
 */
import type { Bytes, Millis } from "../base/units.ts";
import { SEGMENT_BYTES } from "./segment-bytes.ts";
import type { Tally } from "./tally.ts";

/** Tuning: a silence so long with so few pieces missing, each of so much; with more of them one so much longer than the round trip, in which they were sent again in vain. */
const PIECES = 2;
const PIECE_BYTES: Bytes = 16 * SEGMENT_BYTES;
const SILENCE_MS: Millis = 80;
/** What is lost again so soon is no moment. */
const APART_MS: Millis = 1000;

/** Nothing came back for so long that what is measured over that time is no rate. */
export function silent(silence: Millis, minRtt: Millis): boolean {
  return silence >= minRtt + SILENCE_MS;
}

export class Blackout {
  #at: Millis = Number.NEGATIVE_INFINITY;

  /** What a round lost was lost so; `minRtt`: see there. */
  explains(now: Millis, { lost, lostRuns, silence }: Tally, minRtt: Millis): boolean {
    const whole = lostRuns <= PIECES && lost >= Math.max(1, lostRuns) * PIECE_BYTES;
    if (!silent(silence, whole ? 0 : minRtt) || now - this.#at < APART_MS) return false;
    this.#at = now;
    return true;
  }
}
