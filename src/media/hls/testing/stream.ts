/** A made-up encoder for tests: units of chosen frame rate and key frame distance in virtual time. */
import type { AudioTrack, Unit, VideoTrack } from "../../unit.ts";

export const videoTrack: VideoTrack = {
  kind: "video",
  codec: "avc1.42c01e",
  width: 640,
  height: 360,
  framesPerSecond: 30,
  configuration: Uint8Array.of(1, 0x42, 0xc0, 0x1e),
};

export const audioTrack: AudioTrack = {
  kind: "audio",
  codec: "mp4a.40.2",
  sampleRate: 48_000,
  channels: 2,
  samplesPerUnit: 1024,
  configuration: Uint8Array.of(0x11, 0x90),
};

export interface Encoder {
  readonly framesPerSecond: number;
  /** Frames from one key frame to the next. */
  readonly keyframeEvery: number;
  readonly seconds: number;
  readonly startMs?: number;
  /** Unix milliseconds at which the first frame arrives. */
  readonly arrival?: number;
  readonly audio?: boolean;
  readonly frameBytes?: number;
}

/** Stamped in whole milliseconds as RTMP does, audio and video interleaved. */
export function* encode({
  framesPerSecond,
  keyframeEvery,
  seconds,
  startMs = 0,
  arrival = EPOCH,
  audio = false,
  frameBytes = 100,
}: Encoder): Generator<Unit> {
  let sound = 0;
  const soundAt = (): number => Math.round((sound * 1024) / 48);
  for (let frame = 0; frame < Math.round(seconds * framesPerSecond); frame++) {
    const at = Math.round((frame * 1000) / framesPerSecond);
    for (; audio && soundAt() <= at; sound++) yield unit("audio", startMs + soundAt(), true, 20, arrival + soundAt());
    yield unit("video", startMs + at, frame % keyframeEvery === 0, frameBytes, arrival + at);
  }
}

export function unit(kind: "video" | "audio", ms: number, keyframe = false, bytes = 100, arrival = EPOCH + ms): Unit {
  return { kind, dts: ms * 1000, pts: ms * 1000, keyframe, data: new Uint8Array(bytes), arrival };
}

/** 2026-11-21T12:00:00.000Z */
export const EPOCH = 1_795_262_400_000;
