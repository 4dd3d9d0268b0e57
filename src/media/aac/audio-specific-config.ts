/**
 * AudioSpecificConfig, what an AAC decoder must know before the first frame.
 *
 *   | object type 5 (31: +6) | frequency index 4 (15: +24) | channel configuration 4 |
 *   | object type 5 or 29 (SBR, PS): output frequency index 4 (15: +24), core object type 5 |
 *   | frame length 1 | depends on core 1 (+14) | extension 1 | [program config element when the channel configuration is 0] |
 *   | [0x2b7 11 | object type 5 | SBR present 1 | output frequency index 4 (15: +24)] |
 *
 * Source: ISO/IEC 14496-3 sections 1.6.2.1, 1.6.3, 4.4.1 and 4.4.1.1. RFC 6381 section 3.3 for the codec string.
 *
 * Deviations: only the object types built on the general audio coder (AAC Main, LC, SSR, LTP and LC with SBR or PS) are read.
 */
import { BitReader } from "../../base/bit-reader.ts";
export interface AudioSpecificConfig {
  /** RFC 6381 string, "mp4a.40.2". */
  readonly codec: string;
  /** Hz at the decoder's output: with SBR twice the rate of the core. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples at `sampleRate` in one frame: 1024, 960, or with SBR twice that. */
  readonly samplesPerFrame: number;
}

/** Undefined when damaged or of an object type we do not read. Never throws. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig | undefined {
  const bits = new BitReader(bytes);
  let objectType = readObjectType(bits);
  const coreRate = readFrequency(bits);
  const channelConfiguration = bits.bits(4);
  let extension = 0;
  let outputRate = coreRate;
  if (objectType === SBR || objectType === PS) {
    extension = objectType;
    outputRate = readFrequency(bits);
    objectType = readObjectType(bits);
  }
  if (objectType < AAC_MAIN || objectType > AAC_LTP) return undefined;
  const coreSamples = bits.bits(1) === 1 ? 960 : 1024;
  if (bits.bits(1) === 1) bits.bits(14);
  bits.bits(1);
  let channels = channelConfiguration === 0 ? programChannels(bits) : (CHANNELS[channelConfiguration] ?? 0);
  if (bits.overrun) return undefined;

  if (extension === 0 && bits.left >= 16 && bits.bits(11) === SYNC_EXTENSION && readObjectType(bits) === SBR && bits.bits(1) === 1) {
    extension = SBR;
    outputRate = readFrequency(bits);
    if (bits.left >= 12 && bits.bits(11) === SYNC_EXTENSION_PS && bits.bits(1) === 1) extension = PS;
  }
  // Parametric stereo codes one channel and plays two.
  if (extension === PS && channels === 1) channels = 2;
  if (bits.overrun || channels === 0 || outputRate < RATE_MIN || outputRate > RATE_MAX || coreRate === 0) return undefined;
  const samplesPerFrame = Math.round((coreSamples * outputRate) / coreRate);
  if (samplesPerFrame !== coreSamples && samplesPerFrame !== 2 * coreSamples) return undefined;
  return { codec: `mp4a.40.${extension === 0 ? objectType : extension}`, sampleRate: outputRate, channels, samplesPerFrame };
}

const AAC_MAIN = 1;
const AAC_LTP = 4;
const SBR = 5;
const PS = 29;
const SYNC_EXTENSION = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;
const FREQUENCIES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350] as const;
/** Channels of a channel configuration; 0 = reserved. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8] as const;

const RATE_MIN = 7350;
const RATE_MAX = 192_000;

/** program_config_element: counts the channels of its front, side, back and low-frequency elements. */
function programChannels(bits: BitReader): number {
  bits.bits(10);
  const front = bits.bits(4);
  const side = bits.bits(4);
  const back = bits.bits(4);
  const lowFrequency = bits.bits(2);
  bits.bits(7);
  if (bits.bits(1) === 1) bits.bits(4);
  if (bits.bits(1) === 1) bits.bits(4);
  if (bits.bits(1) === 1) bits.bits(3);
  let channels = lowFrequency;
  for (let i = 0; i < front + side + back; i++) {
    channels += 1 + bits.bits(1);
    bits.bits(4);
  }
  return channels;
}

function readObjectType(bits: BitReader): number {
  const type = bits.bits(5);
  return type === 31 ? 32 + bits.bits(6) : type;
}

/** Hz, 0 for a reserved index. */
function readFrequency(bits: BitReader): number {
  const index = bits.bits(4);
  return index === 15 ? bits.bits(24) : (FREQUENCIES[index] ?? 0);
}
