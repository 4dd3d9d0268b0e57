/**
 * What an encoder sends, as IVS's sessions show it (IngestConfiguration and IngestConfigurations): what its tracks say, and what it told of itself in onMetaData; its own
 * word on bit rates, where it gave one, and else what was measured.
 */
import type { BitsPerSecond } from "../../base/units.ts";
import type { Metadata } from "../../media/rtmp/metadata.ts";
import { audioTrack, type Track, type VideoTrack, videoTrack } from "../../media/unit.ts";

/** Of multitrack video a picture that is not the first, and what it was measured to take. */
export interface OtherPicture {
  readonly track: VideoTrack;
  readonly rate: BitsPerSecond;
}

/** `rate`: of the first picture and the sound, as measured; 0 where it is not known yet. What an encoder tells of its pictures is about the first. */
export function ingestConfiguration(
  tracks: readonly Track[],
  rate: BitsPerSecond,
  told: Metadata | undefined,
  others: readonly OtherPicture[] = [],
): object {
  const video = videoTrack(tracks);
  const audio = audioTrack(tracks);
  return {
    ...(video !== undefined && { video: videoConfiguration(video, rate, told, 0) }),
    ...(others.length > 0 && {
      others: others.map(({ track, rate: measured }, i) =>
        videoConfiguration(track, measured, told && { ...told, framesPerSecond: undefined, videoRate: undefined }, i + 1),
      ),
    }),
    ...(audio !== undefined && {
      audio: {
        codec: audio.codec,
        sampleRate: audio.sampleRate,
        channels: audio.channels,
        ...(told?.audioRate !== undefined && { targetBitrate: Math.round(told.audioRate) }),
        track: trackName(0),
      },
    }),
  };
}

function videoConfiguration(video: VideoTrack, rate: BitsPerSecond, told: Metadata | undefined, nth: number): object {
  const { profile, level } = profileAndLevel(video);
  return {
    codec: video.codec,
    ...(video.codec.startsWith("avc1") && { avcProfile: profile, avcLevel: level }),
    profile,
    level,
    encoder: told?.encoder ?? "",
    videoWidth: video.width,
    videoHeight: video.height,
    targetFramerate: Math.round(told?.framesPerSecond ?? video.framesPerSecond),
    targetBitrate: Math.round(told?.videoRate || rate),
    track: trackName(nth),
  };
}

/** In the words of the codecs' specifications; empty where it is another codec. */
function profileAndLevel({ codec, configuration }: VideoTrack): { readonly profile: string; readonly level: string } {
  const byte = (at: number): number => configuration[at] ?? 0;
  switch (codec.slice(0, 4)) {
    case "avc1": {
      const constrained = byte(1) === 66 && (byte(2) & 0x40) !== 0;
      return { profile: constrained ? "Constrained Baseline" : (avcProfiles[byte(1)] ?? String(byte(1))), level: tenths(byte(3)) };
    }
    case "hvc1":
    case "hev1":
      return { profile: hevcProfiles[byte(1) & 0x1f] ?? String(byte(1) & 0x1f), level: tenths(Math.round(byte(12) / 3)) };
    case "av01":
      return { profile: av1Profiles[byte(1) >> 5] ?? String(byte(1) >> 5), level: `${2 + ((byte(1) & 0x1f) >> 2)}.${byte(1) & 3}` };
    default:
      return { profile: "", level: "" };
  }
}

function tenths(level: number): string {
  return `${Math.floor(level / 10)}.${level % 10}`;
}

function trackName(nth: number): string {
  return `Track${nth}`;
}

/** H.264 annex A, H.265 annex A, AV1 annex A. */
const avcProfiles: Readonly<Record<number, string>> = {
  66: "Baseline",
  77: "Main",
  88: "Extended",
  100: "High",
  110: "High 10",
  122: "High 4:2:2",
  244: "High 4:4:4 Predictive",
};
const hevcProfiles: Readonly<Record<number, string>> = { 1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Format Range Extensions" };
const av1Profiles: Readonly<Record<number, string>> = { 0: "Main", 1: "High", 2: "Professional" };
