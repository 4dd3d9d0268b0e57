/**
 * Header of audio data.
 *
 *   classic:   | sound format:4 rate:2 size:1 type:1 | AAC: packet type u8 | data        rate, size and type say nothing for AAC
 *   enhanced:  | 9:4 packet type:4 | FourCC | data
 *
 * Source: Adobe Flash Video File Format 10.1 section E.4.2.1; Enhanced RTMP v2, "ExAudioTagHeader".
 */
import { CODEC_AAC, FOURCC_AAC } from "./codec.ts";

/** What the data are. */
export type AudioPacket = "configuration" | "frame" | "end" | "other" | "multitrack" | "damaged";

/** One object serves a whole stream: `read` overwrites it. */
export class AudioTag {
  packet: AudioPacket = "damaged";
  /** SoundFormat (below 16) or FourCC. */
  codec = 0;
  /** First byte of the data. */
  start = 0;

  get aac(): boolean {
    return this.codec === CODEC_AAC || this.codec === FOURCC_AAC;
  }

  read(payload: Uint8Array): void {
    const first = payload[0] ?? 0;
    const format = first >> 4;
    if (format === ENHANCED) this.#readEnhanced(payload, first & 0x0f);
    else this.#readClassic(payload, format);
    if (this.start > payload.length) this.packet = "damaged";
  }

  #readClassic(payload: Uint8Array, format: number): void {
    this.codec = format;
    this.packet = "frame";
    this.start = 1;
    if (format !== CODEC_AAC) return;
    this.start = 2;
    this.packet = classicPackets[payload[1] ?? 0] ?? "other";
  }

  #readEnhanced(payload: Uint8Array, packetType: number): void {
    this.packet = enhancedPackets[packetType] ?? "other";
    this.start = 5;
    this.codec = 0;
    if (payload.length < 5 || this.packet === "multitrack" || packetType === MOD_EX) return;
    this.codec = ((payload[1]! << 24) | (payload[2]! << 16) | (payload[3]! << 8) | payload[4]!) >>> 0;
  }
}

const ENHANCED = 9;
const MOD_EX = 7;
const classicPackets: readonly AudioPacket[] = ["configuration", "frame"];
/** SequenceStart, CodedFrames, SequenceEnd, –, MultichannelConfig, Multitrack, –, ModEx. */
const enhancedPackets: readonly AudioPacket[] = ["configuration", "frame", "end", "other", "other", "multitrack", "other", "other"];
