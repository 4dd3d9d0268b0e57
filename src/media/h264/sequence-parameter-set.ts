/**
 * Sequence parameter set: the size and the nominal rate of the pictures.
 *
 *   nal header (type 7) · profile_idc · constraint flags · level_idc · id · [chroma, depth, scaling lists of the high profiles]
 *   · frame numbering · reference frames · width and height in macroblocks · cropping · [VUI: … timing …]
 *
 * Source: ITU-T H.264 (ISO/IEC 14496-10) sections 7.3.2.1.1 and E.1.1.
 *
 * Deviations: nothing behind the timing information is read; a set that ends inside its VUI still counts, with no rate.
 */
import { BitReader } from "../../base/bit-reader.ts";
import { rawPayload } from "../nal/raw-payload.ts";

export interface SequenceParameterSet {
  readonly profile: number;
  readonly level: number;
  /** Pixels after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames (not fields) per second from the VUI, 0 when it does not say. */
  readonly framesPerSecond: number;
  /** chroma_format_idc, 1 = 4:2:0, and the depth of samples; only in profiles that say so. */
  readonly chroma?: Chroma;
}

export interface Chroma {
  readonly format: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
}

/** Reads the whole NAL unit, header byte included; undefined when it is damaged or names impossible pictures. Never throws. */
export function parseSequenceParameterSet(nal: Uint8Array): SequenceParameterSet | undefined {
  if (nal.length > SET_BYTES_MAX || ((nal[0] ?? 0) & 0x1f) !== NAL_TYPE) return undefined;
  const reader = new BitReader(rawPayload(nal));
  const profile = reader.bits(8);
  reader.skip(8);
  const level = reader.bits(8);
  reader.ue();
  const chroma = HIGH_PROFILES.has(profile) ? readChroma(reader) : undefined;
  const chromaFormat = chroma?.format ?? 1;
  skipOrderCount(reader);
  reader.ue();
  reader.skip(1);
  const widthInMacroblocks = reader.ue() + 1;
  const heightInMapUnits = reader.ue() + 1;
  const framesOnly = reader.flag();
  if (!framesOnly) reader.skip(1);
  reader.skip(1);

  const fieldFactor = framesOnly ? 1 : 2;
  let width = widthInMacroblocks * 16;
  let height = heightInMapUnits * 16 * fieldFactor;
  if (reader.flag()) {
    const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
    const cropY = (chromaFormat === 1 ? 2 : 1) * fieldFactor;
    width -= (reader.ue() + reader.ue()) * cropX;
    height -= (reader.ue() + reader.ue()) * cropY;
  }
  const hasVui = reader.flag();
  if (reader.overrun || chromaFormat > 3 || (chroma !== undefined && Math.max(chroma.lumaBits, chroma.chromaBits) > BITS_MAX))
    return undefined;
  if (width < 1 || height < 1 || width > PIXELS_MAX || height > PIXELS_MAX) return undefined;
  const framesPerSecond = hasVui ? readFrameRate(reader) : 0;
  return { profile, level, width, height, framesPerSecond, ...(chroma && { chroma }) };
}

const NAL_TYPE = 7;
/** Profiles whose sets carry chroma and scaling fields (section 7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const EXTENDED_ASPECT_RATIO = 255;
/** Level 6.2 allows 16,880 pixels a side. */
const PIXELS_MAX = 16_880;

/** Real sets take tens of bytes, a few hundred with scaling lists. */
const SET_BYTES_MAX = 4096;
/** Of a sample. */
const BITS_MAX = 14;
const FRAMES_PER_SECOND_MAX = 1000;

function readChroma(reader: BitReader): Chroma {
  const format = reader.ue();
  if (format === 3) reader.skip(1);
  const lumaBits = 8 + reader.ue();
  const chromaBits = 8 + reader.ue();
  reader.skip(1);
  const lists = reader.flag() ? (format === 3 ? 12 : 8) : 0;
  for (let list = 0; list < lists && !reader.overrun; list++) {
    if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
  }
  return { format, lumaBits, chromaBits };
}

function skipScalingList(reader: BitReader, entries: number): void {
  let last = 8;
  for (let i = 0; i < entries; i++) {
    last = (last + reader.se() + 256) & 0xff;
    // A zero says that the rest of the list repeats the last value: nothing more is coded.
    if (last === 0 || reader.overrun) return;
  }
}

function skipOrderCount(reader: BitReader): void {
  reader.ue();
  const type = reader.ue();
  if (type === 0) reader.ue();
  if (type !== 1) return;
  reader.skip(1);
  reader.se();
  reader.se();
  const cycle = reader.ue();
  for (let i = 0; i < cycle && !reader.overrun; i++) reader.se();
}

function readFrameRate(reader: BitReader): number {
  if (reader.flag() && reader.bits(8) === EXTENDED_ASPECT_RATIO) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  if (reader.flag()) {
    reader.skip(4);
    if (reader.flag()) reader.skip(24);
  }
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
  if (!reader.flag()) return 0;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  // A tick is a field, and a frame is two of them, also when the pictures are progressive.
  const rate = timeScale / (2 * unitsInTick);
  return reader.overrun || !(rate > 0 && rate <= FRAMES_PER_SECOND_MAX) ? 0 : rate;
}
