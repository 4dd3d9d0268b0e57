/**
 * Whether an encoder that came back within the recording's window goes on in it, as at IVS: the same picture size and frame rate, the same codecs, a bit rate that differs by
 * half at most, 20 streams and 48 hours at most.
 *
 * Source: IVS's "Auto-Record to Amazon S3", "Merge Fragmented Streams".
 */
import type { BitsPerSecond, Millis } from "../../base/units.ts";
import type { Track } from "../../media/unit.ts";

export interface Recorded {
  readonly tracks: readonly Track[];
  readonly rate: BitsPerSecond;
  readonly streams: number;
  /** Since it began. */
  readonly age: Millis;
}

export function merges(before: Recorded, tracks: readonly Track[], rate: BitsPerSecond): boolean {
  if (before.streams >= STREAMS_MAX || before.age >= AGE_MAX || before.tracks.length !== tracks.length) return false;
  if (Math.abs(rate - before.rate) > before.rate * RATE_SHARE_MAX) return false;
  return tracks.every((track, i) => alike(track, before.tracks[i]!));
}

/** Profiles and levels are the encoder's affair: codecs are told apart by their names. */
function alike(a: Track, b: Track): boolean {
  if (a.codec.split(".", 1)[0] !== b.codec.split(".", 1)[0]) return false;
  if (a.kind !== "video" || b.kind !== "video") return a.kind === b.kind;
  return a.width === b.width && a.height === b.height && Math.round(a.framesPerSecond) === Math.round(b.framesPerSecond);
}

const STREAMS_MAX = 20;
const AGE_MAX: Millis = 48 * 3_600_000;
const RATE_SHARE_MAX = 0.5;
