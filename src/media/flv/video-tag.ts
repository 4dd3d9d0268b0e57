/**
 * Header of video data.
 *
 *   classic:   | 0:1 frame type:3 codec:4 | AVC, HEVC: packet type u8 | composition time s24 | data
 *   enhanced:  | 1:1 frame type:3 packet type:4 | FourCC | coded frames of AVC, HEVC: composition time s24 | data
 *
 * Source: Adobe Flash Video File Format 10.1 section E.4.3.1; Enhanced RTMP v2, "ExVideoTagHeader".
 */
import type { Millis } from "../../base/units.ts";
import { CODEC_AVC, CODEC_HEVC, FOURCC_AVC, FOURCC_HEVC } from "./codec.ts";

/** What the data are. */
export type VideoPacket = "configuration" | "frame" | "end" | "other" | "multitrack" | "damaged";

/** One object serves a whole stream: `read` overwrites it. */
export class VideoTag {
  packet: VideoPacket = "damaged";
  /** CodecID (below 16) or FourCC. */
  codec = 0;
  keyframe = false;
  /** Presentation minus decode time, may be negative. */
  compositionTime: Millis = 0;
  /** First byte of the data. */
  start = 0;

  read(payload: Uint8Array): void {
    const first = payload[0] ?? 0;
    const frameType = (first >> 4) & 7;
    this.keyframe = frameType === KEY_FRAME;
    this.compositionTime = 0;
    if ((first & ENHANCED) !== 0) this.#readEnhanced(payload, first & 0x0f);
    else this.#readClassic(payload, first & 0x0f);
    if (this.start > payload.length) this.packet = "damaged";
    // Commands of the player's seek logic, not pictures.
    else if (frameType === COMMAND_FRAME && this.packet === "frame") this.packet = "other";
  }

  #readClassic(payload: Uint8Array, codec: number): void {
    this.codec = codec;
    this.packet = "frame";
    this.start = 1;
    if (codec !== CODEC_AVC && codec !== CODEC_HEVC) return;
    this.start = 5;
    this.packet = classicPackets[payload[1] ?? 0] ?? "other";
    this.compositionTime = signed24(payload, 2);
  }

  #readEnhanced(payload: Uint8Array, packetType: number): void {
    this.packet = enhancedPackets[packetType] ?? "other";
    this.start = 5;
    this.codec = 0;
    if (payload.length < 5 || this.packet === "multitrack" || packetType === MOD_EX) return;
    this.codec = ((payload[1]! << 24) | (payload[2]! << 16) | (payload[3]! << 8) | payload[4]!) >>> 0;
    if (packetType !== CODED_FRAMES || (this.codec !== FOURCC_AVC && this.codec !== FOURCC_HEVC)) return;
    this.compositionTime = signed24(payload, 5);
    this.start = 8;
  }
}

const ENHANCED = 0x80;
const KEY_FRAME = 1;
const COMMAND_FRAME = 5;
const CODED_FRAMES = 1;
const MOD_EX = 7;
const classicPackets: readonly VideoPacket[] = ["configuration", "frame", "end"];
/** SequenceStart, CodedFrames, SequenceEnd, CodedFramesX (no composition time), Metadata, MPEG2TSSequenceStart, Multitrack, ModEx. */
const enhancedPackets: readonly VideoPacket[] = ["configuration", "frame", "end", "frame", "other", "other", "multitrack", "other"];

function signed24(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8)) >> 8;
}
