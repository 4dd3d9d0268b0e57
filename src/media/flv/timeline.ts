/**
 * One clock for audio and video out of their timestamps: it does not wrap, does not go back within a track, and survives encoders that start anew.
 *
 *   timestamp, 32 bits of ms ─► close to the track's last one?  ─► that much later
 *                               close to the other track's last? ─► that much later than there     (this track paused, or both jumped)
 *                               else                             ─► where the stream is now        (a restart, counted)
 *
 * Encoders that write only the low 24 bits come round every 4.66 hours; a step that is small modulo 2^24 and large modulo 2^32 is taken for that.
 */
import type { Micros, Millis } from "../../base/units.ts";

export const VIDEO_TRACK = 0;
export const AUDIO_TRACK = 1;

export interface TimelineStats {
  /** Timestamps that stepped back a little and were moved up to keep the order of decoding. */
  backward: number;
  /** Jumps that neither the track nor the other one explained. */
  restarts: number;
  /** Times a 24-bit clock came round. */
  wraps24: number;
}

export class Timeline {
  readonly stats: TimelineStats = { backward: 0, restarts: 0, wraps24: 0 };
  readonly #started = [false, false];
  /** Last timestamp as it came. */
  readonly #raw = new Float64Array(2);
  /** The same on our clock, before it was kept from going back. */
  readonly #unwrapped = new Float64Array(2);
  /** What was answered last. */
  readonly #answered = new Float64Array(2).fill(Number.NEGATIVE_INFINITY);

  /** Decode time of the next message of a track, strictly later than the one before it. `timestamp`: 0…2^32−1. */
  map(track: typeof VIDEO_TRACK | typeof AUDIO_TRACK, timestamp: Millis): Micros {
    const time = this.#unwrap(track, timestamp);
    this.#started[track] = true;
    this.#raw[track] = timestamp;
    this.#unwrapped[track] = time;
    const last = this.#answered[track]!;
    let micros = Math.max(time, 0) * 1000;
    if (micros <= last) {
      if (micros < last) this.stats.backward++;
      micros = last + STEP_MICROS;
    }
    this.#answered[track] = micros;
    return micros;
  }

  #unwrap(track: number, timestamp: Millis): Millis {
    const other = 1 - track;
    const own = this.#started[track] ? this.#step(track, timestamp) : UNEXPLAINED;
    if (own !== UNEXPLAINED) return this.#unwrapped[track]! + own;
    const beside = this.#started[other] ? this.#step(other, timestamp) : UNEXPLAINED;
    if (beside !== UNEXPLAINED) return this.#unwrapped[other]! + beside;
    if (!this.#started[track] && !this.#started[other]) return Math.min(timestamp, START_MILLIS_MAX);
    this.stats.restarts++;
    const now = Math.max(this.#answered[track]!, this.#answered[other]!);
    return Math.ceil(now / 1000) + RESTART_GAP_MILLIS;
  }

  /** How much later than the last of `track`, UNEXPLAINED when it is a jump. */
  #step(track: number, timestamp: Millis): Millis {
    const last = this.#raw[track]!;
    const step = (timestamp - last) | 0;
    if (Math.abs(step) <= JUMP_MILLIS) return step;
    const step24 = ((timestamp - last) << 8) >> 8;
    if (Math.abs(step24) > JUMP_MILLIS || timestamp >= 2 ** 24 || last >= 2 ** 24) return UNEXPLAINED;
    this.stats.wraps24++;
    return step24;
  }
}

const UNEXPLAINED = Number.POSITIVE_INFINITY;
/** A step of more than this, either way, is not a pause or late interleaving but another clock. */
const JUMP_MILLIS = 10_000;
/** After a restart: longer than a frame of audio lasts, so that the units around the seam do not overlap. */
const RESTART_GAP_MILLIS = 40;
/** Streams may begin anywhere; ours begin near zero, with room for a second track that begins a little earlier. */
const START_MILLIS_MAX = 1000;
/** Distance of two units with one timestamp: the order is kept and later ones are hardly moved. */
const STEP_MICROS = 100;
