/**
 * Sample entries: what a decoder must know before the first sample.
 *
 *   avc1 ─ avcC   AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.4.2)
 *   hvc1 ─ hvcC   HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 8.4.1)
 *   av01 ─ av1C   AV1CodecConfigurationRecord (AV1 Codec ISO Media File Format Binding section 2.3)
 *   Opus ─ dOps   OpusSpecificBox (Encapsulation of Opus in ISO Base Media File Format 4.3.2)
 *   mp4a ─ esds   ES_Descriptor ─ DecoderConfigDescriptor ─ AudioSpecificConfig (ISO/IEC 14496-14 section 5.6, 14496-1 section 7.2.6)
 */
import type { Writer } from "../../base/cursor.ts";
import type { AudioTrack, Track, VideoTrack } from "../unit.ts";
import { closeBox, openBox, openFullBox } from "./box.ts";

/** Whether the muxer has a sample entry for an RFC 6381 codec string: H.264 (avc1), HEVC (hvc1), AV1 (av01), AAC (mp4a.40) and Opus. */
export function codecSupported(codec: string): boolean {
  return configurationBoxes[codec.slice(0, 4)] !== undefined || codec.startsWith("mp4a.40.") || codec === "opus";
}

export function writeSampleEntry(into: Writer, track: Track): void {
  if (track.kind === "video") writeVisual(into, track);
  else if (track.codec === "opus") writeOpus(into, track);
  else writeMp4a(into, track);
}

/** The box of the configuration by the sample entry, which is what the codec string begins with. */
const configurationBoxes: Readonly<Record<string, string>> = { avc1: "avcC", hvc1: "hvcC", av01: "av1C" };

function writeVisual(into: Writer, track: VideoTrack): void {
  const type = track.codec.slice(0, 4);
  const entry = openBox(into, type);
  into.u32(0).u16(0).u16(DATA_REFERENCE_INDEX);
  into.u32(0).u32(0).u32(0).u32(0);
  into.u16(track.width).u16(track.height).u32(DOTS_PER_INCH_72).u32(DOTS_PER_INCH_72);
  into.u32(0).u16(1);
  for (let i = 0; i < COMPRESSOR_NAME_BYTES; i += 4) into.u32(0);
  into.u16(DEPTH_24).u16(0xffff);
  const configuration = openBox(into, configurationBoxes[type]!);
  into.put(track.configuration);
  closeBox(into, configuration);
  closeBox(into, entry);
}

function writeOpus(into: Writer, track: AudioTrack): void {
  const entry = openBox(into, "Opus");
  into.u32(0).u16(0).u16(DATA_REFERENCE_INDEX);
  into.u32(0).u32(0);
  into.u16(track.channels).u16(16).u32(0).u16(track.sampleRate).u16(0);
  const dOps = openBox(into, "dOps");
  into.put(track.configuration);
  closeBox(into, dOps);
  closeBox(into, entry);
}

function writeMp4a(into: Writer, track: AudioTrack): void {
  const entry = openBox(into, "mp4a");
  into.u32(0).u16(0).u16(DATA_REFERENCE_INDEX);
  into.u32(0).u32(0);
  // The 16.16 field cannot hold rates of 65,536 Hz and more; decoders take the rate from the AudioSpecificConfig.
  into
    .u16(track.channels)
    .u16(16)
    .u32(0)
    .u16(track.sampleRate > 0xffff ? 0 : track.sampleRate)
    .u16(0);
  const esds = openFullBox(into, "esds", 0, 0);
  const config = track.configuration.length;
  const decoder = 13 + 2 + config;
  descriptor(into, ES_DESCRIPTOR, 3 + 2 + decoder + 3);
  into.u16(0).u8(0);
  descriptor(into, DECODER_CONFIG_DESCRIPTOR, decoder);
  into.u8(OBJECT_TYPE_AAC).u8(STREAM_TYPE_AUDIO).u24(0).u32(0).u32(0);
  descriptor(into, DECODER_SPECIFIC_INFO, config);
  into.put(track.configuration);
  descriptor(into, SL_CONFIG_DESCRIPTOR, 1);
  into.u8(SL_PREDEFINED_MP4);
  closeBox(into, esds);
  closeBox(into, entry);
}

/** One length byte is enough: an AudioSpecificConfig has a handful of bytes, and the caller refuses longer ones (see `CONFIG_BYTES_MAX`). */
function descriptor(into: Writer, tag: number, length: number): void {
  into.u8(tag).u8(length);
}

/** Longest AudioSpecificConfig that fits descriptors with one length byte (127 − the 23 bytes around it). */
export const CONFIG_BYTES_MAX = 104;

const DATA_REFERENCE_INDEX = 1;
const DOTS_PER_INCH_72 = 0x00480000;
const COMPRESSOR_NAME_BYTES = 32;
const DEPTH_24 = 0x18;
const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG_DESCRIPTOR = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
const SL_CONFIG_DESCRIPTOR = 0x06;
const OBJECT_TYPE_AAC = 0x40;
const STREAM_TYPE_AUDIO = 0x15;
const SL_PREDEFINED_MP4 = 2;
