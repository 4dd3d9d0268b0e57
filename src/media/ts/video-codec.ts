/**
 * What a transport stream's video codecs have in common: NAL units of which some are parameter sets, some say where pictures begin and end, and the rest is kept.
 *
 * Source: ITU-T H.264 table 7-1, H.265 table 7-1; stream types in ISO/IEC 13818-1 table 2-34.
 */
import { inspectAccessUnit as inspectH264 } from "../h264/access-unit.ts";
import { decoderConfigurationOf as configureH264 } from "../h264/decoder-configuration.ts";
import { inspectAccessUnit as inspectH265 } from "../h265/access-unit.ts";
import { decoderConfigurationOf as configureH265 } from "../h265/decoder-configuration.ts";
import type { VideoTrack } from "../unit.ts";

/** A NAL unit that containers do without: it is the container that says where pictures begin. */
export const LEFT_OUT = -2;
export const KEPT = -1;

export interface VideoCodec {
  /** Parameter sets that make a configuration, each of its own kind. */
  readonly sets: number;
  /** By the first byte of a NAL unit: which parameter set it is, 0…, KEPT or LEFT_OUT. */
  readonly kinds: Int8Array;
  /** Undefined when they are damaged. */
  configure(sets: readonly Uint8Array[]): VideoTrack | undefined;
  inspect(bytes: Uint8Array, start: number, lengthBytes: number): number;
}

function kinds(type: (first: number) => number, sets: readonly number[], leftOut: readonly number[]): Int8Array {
  return Int8Array.from({ length: 256 }, (_, first) => {
    const at = sets.indexOf(type(first));
    return at >= 0 ? at : leftOut.includes(type(first)) ? LEFT_OUT : KEPT;
  });
}

const h264: VideoCodec = {
  sets: 2,
  kinds: kinds((first) => first & 0x1f, [7, 8], [9, 10, 11, 12]),
  configure: ([sequenceSet, pictureSet]) => trackOf(configureH264(sequenceSet!, pictureSet!)),
  inspect: inspectH264,
};

const h265: VideoCodec = {
  sets: 3,
  kinds: kinds((first) => (first >> 1) & 0x3f, [32, 33, 34], [35, 36, 37, 38]),
  configure: ([videoSet, sequenceSet, pictureSet]) => trackOf(configureH265(videoSet!, sequenceSet!, pictureSet!)),
  inspect: inspectH265,
};

const STREAM_H264 = 0x1b;
const STREAM_H265 = 0x24;

/** By stream type; undefined: not carried. */
export function videoCodec(streamType: number): VideoCodec | undefined {
  return streamType === STREAM_H264 ? h264 : streamType === STREAM_H265 ? h265 : undefined;
}

type Configuration = ReturnType<typeof configureH264> | ReturnType<typeof configureH265>;

function trackOf(configuration: Configuration): VideoTrack | undefined {
  if (configuration === undefined) return undefined;
  const { codec, sequence, record } = configuration;
  const { width, height, framesPerSecond } = sequence;
  return { kind: "video", codec, width, height, framesPerSecond, configuration: record };
}
