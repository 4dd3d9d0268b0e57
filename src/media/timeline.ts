/**
 * One clock for audio and video out of their timestamps: it does not wrap, does not go back within a track, and survives encoders that start anew.
 *
 *   timestamp, 32 or 33 bits ─► close to the track's last one?  ─► that much later
 *                              close to another track's last?   ─► that much later than there     (this track paused, or all jumped)
 *                              else                             ─► where the stream is now        (a restart, counted)
 *
 * Encoders of FLV that write only the low 24 bits come round every 4.66 hours; a step that is small modulo 2^24 and large modulo 2^32 is taken for that.
 */
import type { Micros } from "../base/units.ts";

/** How a container tells time. */
export interface Clock {
  readonly ticksPerMilli: number;
  /** Timestamps are modulo 2^bits. */
  readonly bits: number;
  /** Some encoders fill only so many; 0: none is known to. */
  readonly narrowBits: number;
}

/** RTMP and FLV: milliseconds. */
export const flvClock: Clock = { ticksPerMilli: 1, bits: 32, narrowBits: 24 };
/** MPEG-2 transport streams (ISO/IEC 13818-1 section 2.4.3.7): 90 kHz. */
export const transportStreamClock: Clock = { ticksPerMilli: 90, bits: 33, narrowBits: 0 };

export const VIDEO_TRACK = 0;
export const AUDIO_TRACK = 1;

export interface TimelineStats {
  /** Timestamps that stepped back a little and were moved up to keep the order of decoding. */
  backward: number;
  /** Jumps that neither the track nor another one explained. */
  restarts: number;
  /** Times a 24-bit clock came round. */
  wraps24: number;
}

export class Timeline {
  readonly stats: TimelineStats = { backward: 0, restarts: 0, wraps24: 0 };
  readonly #started: boolean[];
  readonly #clock: Clock;
  /** A step of more than this, either way, is not a pause or late interleaving but another clock. Ticks. */
  readonly #jump: number;
  /** Last timestamp as it came. */
  readonly #raw: Float64Array;
  /** The same on our clock, in ticks, before it was kept from going back. */
  readonly #unwrapped: Float64Array;
  /** What was answered last. */
  readonly #answered: Float64Array;

  /** `tracks`: how many there may be; VIDEO_TRACK, AUDIO_TRACK, and others behind them. */
  constructor(clock: Clock = flvClock, tracks = 2) {
    this.#clock = clock;
    this.#started = new Array<boolean>(tracks).fill(false);
    this.#raw = new Float64Array(tracks);
    this.#unwrapped = new Float64Array(tracks);
    this.#answered = new Float64Array(tracks).fill(Number.NEGATIVE_INFINITY);
    this.#jump = JUMP_MILLIS * clock.ticksPerMilli;
  }

  /** Decode time of the next unit of a track, strictly later than the one before it. `timestamp`: in the clock's ticks, 0…2^bits−1. */
  map(track: number, timestamp: number): Micros {
    const time = this.#unwrap(track, timestamp);
    this.#started[track] = true;
    this.#raw[track] = timestamp;
    this.#unwrapped[track] = time;
    const last = this.#answered[track]!;
    let micros = Math.round((Math.max(time, 0) * 1000) / this.#clock.ticksPerMilli);
    if (micros <= last) {
      if (micros < last) this.stats.backward++;
      micros = last + STEP_MICROS;
    }
    this.#answered[track] = micros;
    return micros;
  }

  #unwrap(track: number, timestamp: number): number {
    const { ticksPerMilli } = this.#clock;
    const own = this.#started[track] ? this.#step(track, timestamp) : UNEXPLAINED;
    if (own !== UNEXPLAINED) return this.#unwrapped[track]! + own;
    let latest = Number.NEGATIVE_INFINITY;
    for (let other = 0; other < this.#raw.length; other++) {
      if (!this.#started[other]) continue;
      latest = Math.max(latest, this.#answered[other]!);
      const beside = other === track ? UNEXPLAINED : this.#step(other, timestamp);
      if (beside !== UNEXPLAINED) return this.#unwrapped[other]! + beside;
    }
    if (latest === Number.NEGATIVE_INFINITY) return Math.min(timestamp, START_MILLIS_MAX * ticksPerMilli);
    this.stats.restarts++;
    return (Math.ceil(latest / 1000) + RESTART_GAP_MILLIS) * ticksPerMilli;
  }

  /** How many ticks later than the last of `track`, UNEXPLAINED when it is a jump. */
  #step(track: number, timestamp: number): number {
    const { bits, narrowBits } = this.#clock;
    const last = this.#raw[track]!;
    const step = around(timestamp - last, bits);
    if (Math.abs(step) <= this.#jump) return step;
    const narrow = around(timestamp - last, narrowBits);
    if (Math.abs(narrow) > this.#jump || timestamp >= 2 ** narrowBits || last >= 2 ** narrowBits) return UNEXPLAINED;
    this.stats.wraps24++;
    return narrow;
  }
}

/** The difference modulo 2^bits that is nearest to zero. */
function around(difference: number, bits: number): number {
  const span = 2 ** bits;
  return difference - Math.round(difference / span) * span;
}

const UNEXPLAINED = Number.POSITIVE_INFINITY;
const JUMP_MILLIS = 10_000;
/** After a restart: longer than a frame of audio lasts, so that the units around the seam do not overlap. */
const RESTART_GAP_MILLIS = 40;
/** Streams may begin anywhere; ours begin near zero, with room for a second track that begins a little earlier. */
const START_MILLIS_MAX = 1000;
/** Distance of two units with one timestamp: the order is kept and later ones are hardly moved. */
const STEP_MICROS = 100;
