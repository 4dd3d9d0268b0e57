/**
 * Sequence parameter set of H.265: profile, level and the size of the pictures.
 *
 *   nal header (2 bytes, type 33) · vps id · sub layers · profile, tier, level · id · chroma format · width · height · conformance window · bit depths · …
 *
 * Source: ITU-T H.265 (ISO/IEC 23008-2) sections 7.3.1.2, 7.3.2.2.1, 7.3.3.
 *
 * Deviation: nothing behind the bit depths is read, so the nominal frame rate, which stands in the VUI, is not known; the segmenter measures it.
 */
import { BitReader } from "../../base/bit-reader.ts";
import { rawPayload } from "../nal/raw-payload.ts";

export interface SequenceParameterSet {
  /** Pixels inside the conformance window. */
  readonly width: number;
  readonly height: number;
  /** 0: not read. */
  readonly framesPerSecond: number;
  /** chroma_format_idc: 1 = 4:2:0. */
  readonly chromaFormat: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
}

const NAL_TYPE = 33;
/** Real sets take tens of bytes, a few hundred with scaling lists. */
const SET_BYTES_MAX = 4096;
/** Level 6.2 allows 16,888 pixels a side. */
const PIXELS_MAX = 16_888;
const BITS_MAX = 16;

/** Reads the whole NAL unit, header included; undefined when it is damaged or names impossible pictures. Never throws. */
export function parseSequenceParameterSet(nal: Uint8Array): SequenceParameterSet | undefined {
  if (nal.length > SET_BYTES_MAX || nal.length < 3 || ((nal[0]! >> 1) & 0x3f) !== NAL_TYPE) return undefined;
  const reader = new BitReader(rawPayload(nal.subarray(1)));
  reader.skip(4);
  const subLayersMinus1 = reader.bits(3);
  reader.skip(1);
  skipProfileTierLevel(reader, subLayersMinus1);
  reader.ue();
  const chromaFormat = reader.ue();
  if (chromaFormat === 3) reader.skip(1);
  let width = reader.ue();
  let height = reader.ue();
  if (reader.flag()) {
    const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
    const cropY = chromaFormat === 1 ? 2 : 1;
    width -= (reader.ue() + reader.ue()) * cropX;
    height -= (reader.ue() + reader.ue()) * cropY;
  }
  const lumaBits = 8 + reader.ue();
  const chromaBits = 8 + reader.ue();
  if (reader.overrun || chromaFormat > 3 || lumaBits > BITS_MAX || chromaBits > BITS_MAX) return undefined;
  if (width < 1 || height < 1 || width > PIXELS_MAX || height > PIXELS_MAX) return undefined;
  return { width, height, framesPerSecond: 0, chromaFormat, lumaBits, chromaBits };
}

function skipProfileTierLevel(reader: BitReader, subLayersMinus1: number): void {
  reader.skip(PROFILE_BITS + LEVEL_BITS);
  const present: { profile: boolean; level: boolean }[] = [];
  for (let i = 0; i < subLayersMinus1; i++) present.push({ profile: reader.flag(), level: reader.flag() });
  if (subLayersMinus1 > 0) reader.skip(2 * (8 - subLayersMinus1));
  for (const { profile, level } of present) reader.skip((profile ? PROFILE_BITS : 0) + (level ? LEVEL_BITS : 0));
}

const PROFILE_BITS = 88;
const LEVEL_BITS = 8;
