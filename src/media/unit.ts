/**
 * The one shape in which media travels inside: M inputs produce Units, N outputs consume them, so a new one is one file (DESIGN.md "Layers").
 *
 * Times are in microseconds of the stream's own clock and do not wrap. `arrival` is the wall clock (Unix ms) at which the unit's last byte
 * reached the origin: the base of EXT-X-PROGRAM-DATE-TIME and of every latency figure.
 */
import type { ProtocolError } from "../base/errors.ts";
import type { Micros } from "../base/units.ts";

export type Track = VideoTrack | AudioTrack;

export interface VideoTrack {
  readonly kind: "video";
  /** RFC 6381 string, "avc1.64001f", "hvc1.1.6.L93.B0", "av01.0.04M.08". */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Nominal frame rate from the bitstream, 0 when it does not say. */
  readonly framesPerSecond: number;
  /** Decoder configuration as the container wants it: AVC- or HEVCDecoderConfigurationRecord (ISO/IEC 14496-15), AV1CodecConfigurationRecord. */
  readonly configuration: Uint8Array;
}

export interface AudioTrack {
  readonly kind: "audio";
  /** RFC 6381 string, "mp4a.40.2". */
  readonly codec: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples in one unit: 1024 for AAC-LC. */
  readonly samplesPerUnit: number;
  /** AudioSpecificConfig (ISO/IEC 14496-3). */
  readonly configuration: Uint8Array;
}

/** The track with the picture, of which a stream has one at most. */
export function videoTrack(tracks: readonly Track[]): VideoTrack | undefined {
  return tracks.find((track) => track.kind === "video");
}

/** The track with the sound, of which there is one at most too. */
export function audioTrack(tracks: readonly Track[]): AudioTrack | undefined {
  return tracks.find((track) => track.kind === "audio");
}

/** One coded picture or one audio frame. `data` is owned by the unit and never changed after it was made. */
export interface Unit {
  readonly kind: "video" | "audio";
  /** Decode time. */
  readonly dts: Micros;
  /** Presentation time. */
  readonly pts: Micros;
  /** A decoder can start here; always true for audio. */
  readonly keyframe: boolean;
  /** Video: NAL units each behind a 4-byte length, without parameter sets in band needed; AV1: open bitstream units. Audio: one raw frame. */
  readonly data: Uint8Array;
  /** Unix milliseconds at which it reached the origin. */
  readonly arrival: number;
}

/** What an input makes of a publisher's bytes; `trackId`: which of several pictures it is or belongs to, 0 for sound. `failed` comes once and nothing after it. */
export type UnitEvent =
  | { readonly kind: "track"; readonly track: Track; readonly trackId: number }
  | { readonly kind: "unit"; readonly unit: Unit; readonly trackId: number }
  | { readonly kind: "failed"; readonly error: ProtocolError };
