/**
 * Header of audio data.
 *
 *   classic:   | sound format:4 rate:2 size:1 type:1 | AAC: packet type u8 | data        rate, size and type say nothing for AAC
 *   enhanced:  | 9:4 packet type:4 | FourCC, tracks: enhanced-header.ts | data
 *
 * Source: Adobe Flash Video File Format 10.1 section E.4.2.1; Enhanced RTMP v2, "ExAudioTagHeader".
 */
import { CODEC_AAC } from "./codec.ts";
import { EnhancedHeader } from "./enhanced-header.ts";

/** What the data are. */
export type AudioPacket = "configuration" | "frame" | "end" | "other" | "damaged";

/** One object serves a whole stream: `read` and `next` overwrite it. */
export class AudioTag {
  packet: AudioPacket = "damaged";
  /** SoundFormat (below 16) or FourCC. */
  codec = 0;
  /** Which of several; 0 where none is named. */
  track = 0;
  /** The data are payload[start…end). */
  start = 0;
  end = 0;
  #enhanced = false;
  readonly #header = new EnhancedHeader();

  /** The message, or of several tracks its first. */
  read(payload: Uint8Array): void {
    const first = payload[0] ?? 0;
    const format = first >> 4;
    this.#enhanced = format === ENHANCED;
    if (this.#enhanced) {
      this.#header.read(payload, first & 0x0f, MULTITRACK);
      this.#readEnhanced();
    } else this.#readClassic(payload, format);
  }

  /** The message's next track; false: there is none. */
  next(payload: Uint8Array): boolean {
    if (!this.#enhanced || !this.#header.next(payload)) return false;
    this.#readEnhanced();
    return true;
  }

  #readClassic(payload: Uint8Array, format: number): void {
    this.codec = format;
    this.track = 0;
    this.packet = "frame";
    this.start = 1;
    this.end = payload.length;
    if (format === CODEC_AAC) {
      this.start = 2;
      this.packet = classicPackets[payload[1] ?? 0] ?? "other";
    }
    if (this.start > this.end) this.packet = "damaged";
  }

  #readEnhanced(): void {
    const { packetType, codec, track, start, end, damaged } = this.#header;
    this.packet = damaged ? "damaged" : (enhancedPackets[packetType] ?? "other");
    this.codec = codec;
    this.track = track;
    this.start = start;
    this.end = end;
  }
}

const ENHANCED = 9;
const MULTITRACK = 5;
const classicPackets: readonly AudioPacket[] = ["configuration", "frame"];
/** SequenceStart, CodedFrames, SequenceEnd, –, MultichannelConfig. */
const enhancedPackets: readonly AudioPacket[] = ["configuration", "frame", "end"];
