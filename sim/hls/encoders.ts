/** Encoders of all sorts, well-behaved and not, drawn from a seed: what they publish in virtual time, and how a channel is set up for them. */
import type { Prng } from "../../src/base/prng.ts";
import type { Micros } from "../../src/base/units.ts";
import { audioTrack, EPOCH, videoTrack } from "../../src/media/hls/testing/stream.ts";
import type { Track, Unit } from "../../src/media/unit.ts";

/** What an encoder does next. */
export type Step =
  | { readonly kind: "tracks"; readonly tracks: readonly Track[] }
  | { readonly kind: "unit"; readonly unit: Unit }
  | { readonly kind: "text"; readonly text: string }
  /** It leaves; what follows is published anew. */
  | { readonly kind: "left" };

export interface Manner {
  readonly framesPerSecond: number;
  /** Seconds from one key frame to the next. */
  readonly gop: number;
  /** Distances of frames vary by this share. */
  readonly unsteady: number;
  readonly audio: "none" | "with" | "alone";
  /** Chances for each frame. */
  readonly sceneCut: number;
  readonly frameLost: number;
  readonly clockJump: number;
  readonly leaves: number;
  readonly otherSize: number;
  readonly bframes: boolean;
  /** ms, ms, segments: options of the channel. */
  readonly part: number;
  readonly segment: number;
  readonly window: number;
}

const pick = <T>(prng: Prng, choices: readonly T[]): T => choices[prng.below(choices.length)]!;

/** `steady`: all frames come, equally far apart. */
export function manner(prng: Prng, steady: boolean): Manner {
  const wild = prng.chance(0.33);
  const chance = (most: number): number => (wild ? prng.float() * most : 0);
  return {
    framesPerSecond: pick(prng, [10, 15, 23.976, 24, 25, 29.97, 30, 50, 59.94, 60]),
    gop: pick(prng, [0.5, 1, 1, 2, 2, 2, 3, 4, 10]),
    unsteady: steady ? 0 : pick(prng, [0, 0.1, 0.5, 0.9]),
    audio: pick(prng, ["none", "with", "with", "with", "alone"]),
    sceneCut: chance(0.02),
    frameLost: steady ? 0 : prng.float() * 0.05,
    clockJump: chance(0.002),
    leaves: chance(0.002),
    otherSize: chance(0.002),
    bframes: prng.chance(0.33),
    part: pick(prng, [50, 100, 200, 200, 200, 333, 500, 1000]),
    segment: pick(prng, [1000, 2000, 2000, 4000]),
    window: pick(prng, [4, 6, 10, 15, 20]),
  };
}

/** Without end. Stamps are whole milliseconds, as RTMP's. */
export function* encoder(given: Manner, prng: Prng): Generator<Step> {
  let tracks = tracksOf(given, 0);
  let sizes = 0;
  let [clock, wall] = [prng.below(100_000), 0];
  let [sound, untilKey] = [clock, 0];
  yield { kind: "tracks", tracks };
  for (let n = 0; ; n++) {
    if (prng.chance(given.leaves)) {
      yield { kind: "left" };
      yield { kind: "tracks", tracks };
      [clock, untilKey] = [prng.below(100_000), 0];
      sound = clock;
      wall += prng.below(20_000);
    }
    if (prng.chance(given.otherSize)) {
      tracks = tracksOf(given, ++sizes);
      yield { kind: "tracks", tracks };
      untilKey = 0;
    }
    if (prng.chance(given.clockJump)) {
      clock = Math.max(0, clock + (prng.chance(0.5) ? 1 : -1) * (JUMP_MIN_MS + prng.below(60_000)));
      sound = clock;
    }
    if (n % 100 === 50 && prng.chance(0.25)) yield { kind: "text", text: `text ${n}` };
    if (given.audio !== "none")
      for (; sound <= clock; sound += SOUND_MS) yield { kind: "unit", unit: unit("audio", Math.round(sound), 0, true, wall) };
    const keyframe = untilKey <= 0 || prng.chance(given.sceneCut);
    if (keyframe) untilKey = given.gop * 1000;
    const order = given.bframes && !keyframe ? (prng.below(3) * 1_000_000) / given.framesPerSecond : 0;
    if (given.audio !== "alone" && !prng.chance(given.frameLost)) {
      yield { kind: "unit", unit: unit("video", Math.round(clock), Math.round(order), keyframe, wall) };
    }
    const step = (1000 / given.framesPerSecond) * (1 + given.unsteady * (2 * prng.float() - 1));
    clock += step;
    wall += step;
    untilKey -= step;
  }
}

function tracksOf({ audio, framesPerSecond }: Manner, sizes: number): readonly Track[] {
  const video: Track = { ...videoTrack, framesPerSecond: sizes % 2 === 1 ? 0 : framesPerSecond, width: 640 + 2 * sizes };
  const other = { ...video, configuration: Uint8Array.of(...video.configuration, sizes) };
  if (audio === "alone") return [audioTrack];
  return audio === "with" ? [other, audioTrack] : [other];
}

function unit(kind: "video" | "audio", ms: number, order: Micros, keyframe: boolean, wall: number): Unit {
  return { kind, dts: ms * 1000, pts: ms * 1000 + order, keyframe, data: FRAME, arrival: EPOCH + Math.round(wall) };
}

const FRAME = new Uint8Array(40);
/** Less is a stream in which frames are missing. */
const JUMP_MIN_MS = 2000;
const SOUND_MS = 1024 / 48;
