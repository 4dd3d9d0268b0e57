/**
 * Codecs that publishers may send, by the number or the FourCC on the wire, and the sentence that refuses what we do not carry.
 *
 * Source: Adobe Flash Video File Format 10.1 sections E.4.2.1 and E.4.3.1; Enhanced RTMP v2.
 */
import { ProtocolError } from "../../base/errors.ts";

export const CODEC_AVC = 7;
/** Not Adobe's, but what encoders sent before there was Enhanced RTMP; laid out as for AVC. */
export const CODEC_HEVC = 12;
export const CODEC_AAC = 10;
export const FOURCC_AVC = 0x61766331;
export const FOURCC_HEVC = 0x68766331;
export const FOURCC_AV1 = 0x61763031;
export const FOURCC_AAC = 0x6d703461;
export const FOURCC_OPUS = 0x4f707573;

/** `codec` is the CodecID, or the FourCC of the enhanced header. */
export function unsupportedVideo(codec: number): ProtocolError {
  return new ProtocolError("flv.video-codec", `video codec ${describe(codec, videoCodecs)} is not supported; publish H.264, HEVC or AV1`);
}

/** `codec` is the SoundFormat, or the FourCC of the enhanced header. */
export function unsupportedAudio(codec: number): ProtocolError {
  return new ProtocolError("flv.audio-codec", `audio codec ${describe(codec, audioCodecs)} is not supported; publish AAC or Opus`);
}

/** `most`: pictures that may be in this stream. */
export function multitrackRefused(most: number): ProtocolError {
  if (most === 1) return new ProtocolError("flv.multitrack", "multitrack video is not allowed here; publish one picture");
  return new ProtocolError("flv.tracks", `too many pictures (multitrack video): this stream may have ${most}`);
}

export function fourCc(text: string): number {
  return ((text.charCodeAt(0) << 24) | (text.charCodeAt(1) << 16) | (text.charCodeAt(2) << 8) | text.charCodeAt(3)) >>> 0;
}

function describe(codec: number, names: Readonly<Record<number | string, string>>): string {
  if (codec < 16) return `${codec} (${names[codec] ?? "reserved"})`;
  const text = String.fromCharCode(codec >>> 24, (codec >>> 16) & 0xff, (codec >>> 8) & 0xff, codec & 0xff).replace(/[^\x20-\x7e]/g, "?");
  return names[text] === undefined ? `"${text}"` : `${text} (${names[text]})`;
}

const videoCodecs: Readonly<Record<number | string, string>> = {
  1: "JPEG",
  2: "H.263",
  3: "Screen Video",
  4: "VP6",
  5: "VP6 with alpha",
  6: "Screen Video 2",
  12: "HEVC",
  13: "AV1",
  hvc1: "HEVC",
  vvc1: "VVC",
  av01: "AV1",
  vp08: "VP8",
  vp09: "VP9",
};

const audioCodecs: Readonly<Record<number | string, string>> = {
  0: "PCM",
  1: "ADPCM",
  2: "MP3",
  3: "PCM little endian",
  4: "Nellymoser 16 kHz",
  5: "Nellymoser 8 kHz",
  6: "Nellymoser",
  7: "G.711 A-law",
  8: "G.711 mu-law",
  11: "Speex",
  14: "MP3 8 kHz",
  15: "device specific",
  ".mp3": "MP3",
  fLaC: "FLAC",
  "ac-3": "AC-3",
  "ec-3": "E-AC-3",
};
