/**
 * What fragments and init segment must agree on: each track's number and its clock.
 * Video runs at 90 kHz, the clock of MPEG systems, in which every usual frame rate is whole; audio counts its own samples.
 */
import type { Track } from "../unit.ts";

export const VIDEO_TRACK_ID = 1;
export const AUDIO_TRACK_ID = 2;
export const VIDEO_TIMESCALE = 90_000;

/** Ticks a second of the track's media times. */
export function timescale(track: Track): number {
  return track.kind === "video" ? VIDEO_TIMESCALE : track.sampleRate;
}

export function trackId(track: Track): number {
  return track.kind === "video" ? VIDEO_TRACK_ID : AUDIO_TRACK_ID;
}
