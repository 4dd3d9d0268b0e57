/**
 * Header of video data.
 *
 *   classic:   | 0:1 frame type:3 codec:4 | AVC, HEVC: packet type u8 | composition time s24 | data
 *   enhanced:  | 1:1 frame type:3 packet type:4 | FourCC, tracks: enhanced-header.ts | coded frames of AVC, HEVC: composition time s24 | data
 *
 * Source: Adobe Flash Video File Format 10.1 section E.4.3.1; Enhanced RTMP v2, "ExVideoTagHeader".
 */
import type { Millis } from "../../base/units.ts";
import { CODEC_AVC, CODEC_HEVC, FOURCC_AVC, FOURCC_HEVC } from "./codec.ts";
import { EnhancedHeader } from "./enhanced-header.ts";

/** What the data are. */
export type VideoPacket = "configuration" | "frame" | "end" | "other" | "damaged";

/** One object serves a whole stream: `read` and `next` overwrite it. */
export class VideoTag {
  packet: VideoPacket = "damaged";
  /** CodecID (below 16) or FourCC. */
  codec = 0;
  /** Which of several; 0 where none is named. */
  track = 0;
  keyframe = false;
  /** Presentation minus decode time, may be negative. */
  compositionTime: Millis = 0;
  /** The data are payload[start…end). */
  start = 0;
  end = 0;
  #frameType = 0;
  #enhanced = false;
  readonly #header = new EnhancedHeader();

  /** The message, or of several tracks its first. */
  read(payload: Uint8Array): void {
    const first = payload[0] ?? 0;
    this.#frameType = (first >> 4) & 7;
    this.keyframe = this.#frameType === KEY_FRAME;
    this.#enhanced = (first & ENHANCED) !== 0;
    if (this.#enhanced) {
      this.#header.read(payload, first & 0x0f, MULTITRACK);
      this.#readEnhanced(payload);
    } else this.#readClassic(payload, first & 0x0f);
    this.#judge();
  }

  /** The message's next track; false: there is none. */
  next(payload: Uint8Array): boolean {
    if (!this.#enhanced || !this.#header.next(payload)) return false;
    this.#readEnhanced(payload);
    this.#judge();
    return true;
  }

  #judge(): void {
    if (this.start > this.end) this.packet = "damaged";
    // Commands of the player's seek logic, not pictures.
    else if (this.#frameType === COMMAND_FRAME && this.packet === "frame") this.packet = "other";
  }

  #readClassic(payload: Uint8Array, codec: number): void {
    this.codec = codec;
    this.track = 0;
    this.compositionTime = 0;
    this.packet = "frame";
    this.start = 1;
    this.end = payload.length;
    if (codec !== CODEC_AVC && codec !== CODEC_HEVC) return;
    this.start = 5;
    this.packet = classicPackets[payload[1] ?? 0] ?? "other";
    this.compositionTime = signed24(payload, 2);
  }

  #readEnhanced(payload: Uint8Array): void {
    const { packetType, codec, track, start, end, damaged } = this.#header;
    this.packet = damaged ? "damaged" : (enhancedPackets[packetType] ?? "other");
    this.codec = codec;
    this.track = track;
    this.compositionTime = 0;
    this.start = start;
    this.end = end;
    if (packetType !== CODED_FRAMES || (codec !== FOURCC_AVC && codec !== FOURCC_HEVC)) return;
    this.compositionTime = signed24(payload, start);
    this.start = start + 3;
  }
}

const ENHANCED = 0x80;
const KEY_FRAME = 1;
const COMMAND_FRAME = 5;
const CODED_FRAMES = 1;
const MULTITRACK = 6;
const classicPackets: readonly VideoPacket[] = ["configuration", "frame", "end"];
/** SequenceStart, CodedFrames, SequenceEnd, CodedFramesX (no composition time), Metadata, MPEG2TSSequenceStart. */
const enhancedPackets: readonly VideoPacket[] = ["configuration", "frame", "end", "frame"];

function signed24(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8)) >> 8;
}
