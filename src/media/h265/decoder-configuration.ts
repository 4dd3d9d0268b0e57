/**
 * HEVCDecoderConfigurationRecord, what a decoder must know before the first picture.
 *
 *   0         1                      2                 6                    12      13            21            22
 *   +---------+----------------------+-----------------+--------------------+-------+-------------+-------------+--------+---------
 *   | version | space:2 tier:1 idc:5 | compatibility 4 | constraint flags 6 | level | … 8 bytes … | … 6 len−1:2 | arrays | array × …
 *   +---------+----------------------+-----------------+--------------------+-------+-------------+-------------+--------+---------
 *   array: completeness:1 0:1 type:6 · u16 units · units × (u16 len, NAL)
 *
 * Source: ISO/IEC 14496-15 section 8.3.2.1; its annex E for the codec string.
 */
import { Reader, Writer } from "../../base/cursor.ts";
import { rawPayload } from "../nal/raw-payload.ts";
import { parseSequenceParameterSet, type SequenceParameterSet } from "./sequence-parameter-set.ts";

export interface DecoderConfiguration {
  /** RFC 6381 string, "hvc1.1.6.L93.B0". */
  readonly codec: string;
  /** Bytes of the length before each NAL unit of this stream: 1, 2 or 4. */
  readonly lengthBytes: number;
  readonly sequence: SequenceParameterSet;
  /** The record, changed to announce 4-byte lengths; owned by this object. */
  readonly record: Uint8Array;
}

const SPS = 33;
const LENGTH_AT = 21;
const ARRAYS_MAX = 16;
const ARRAY_COMPLETE = 0x80;
const PROFILE_TIER_LEVEL_BYTES = 12;

/** Copies what it needs; undefined when the record is damaged or has no sequence parameter set. Never throws. */
export function parseDecoderConfiguration(bytes: Uint8Array): DecoderConfiguration | undefined {
  const reader = new Reader(bytes);
  if (reader.u8() !== 1) return undefined;
  const profile = reader.u8();
  const compatibility = reader.u32();
  const constraints = reader.take(6);
  const level = reader.u8();
  reader.skip(8);
  const lengthBytes = (reader.u8() & 3) + 1;
  const arrays = reader.u8();
  if (reader.overrun || arrays > ARRAYS_MAX || lengthBytes === 3) return undefined;
  const codec = codecString(profile, compatibility, constraints, level);
  let sequence: SequenceParameterSet | undefined;
  for (let i = 0; i < arrays && !reader.overrun; i++) {
    const type = reader.u8() & 0x3f;
    for (let units = reader.u16(); units > 0 && !reader.overrun; units--) {
      const nal = reader.take(reader.u16());
      if (type === SPS) sequence ??= parseSequenceParameterSet(nal);
    }
  }
  if (reader.overrun || sequence === undefined) return undefined;
  const record = bytes.slice();
  record[LENGTH_AT] = record[LENGTH_AT]! | 3;
  return { codec, lengthBytes, sequence, record };
}

/** The record of one parameter set of each kind, as they travel in band; undefined when they are damaged. Never throws. */
export function decoderConfigurationOf(
  videoSet: Uint8Array,
  sequenceSet: Uint8Array,
  pictureSet: Uint8Array,
): DecoderConfiguration | undefined {
  const sequence = parseSequenceParameterSet(sequenceSet);
  if (sequence === undefined) return undefined;
  const raw = rawPayload(sequenceSet.subarray(1));
  const layers = ((raw[0]! >> 1) & 7) + 1;
  const nested = raw[0]! & 1;
  const writer = new Writer(64 + videoSet.length + sequenceSet.length + pictureSet.length);
  // Nothing is promised about segmentation and parallel decoding; the frame rate is not said.
  writer
    .u8(1)
    .put(raw.subarray(1, 1 + PROFILE_TIER_LEVEL_BYTES))
    .u16(0xf000)
    .u8(0xfc);
  writer
    .u8(0xfc | sequence.chromaFormat)
    .u8(0xf8 | (sequence.lumaBits - 8))
    .u8(0xf8 | (sequence.chromaBits - 8));
  writer.u16(0).u8((layers << 3) | (nested << 2) | 3);
  const sets = [videoSet, sequenceSet, pictureSet];
  writer.u8(sets.length);
  for (const set of sets)
    writer
      .u8(ARRAY_COMPLETE | ((set[0]! >> 1) & 0x3f))
      .u16(1)
      .u16(set.length)
      .put(set);
  return parseDecoderConfiguration(writer.finish());
}

function codecString(profile: number, compatibility: number, constraints: Uint8Array, level: number): string {
  const space = ["", "A", "B", "C"][profile >> 6]!;
  const tier = (profile & 0x20) === 0 ? "L" : "H";
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = reversed * 2 + ((compatibility >>> bit) & 1);
  let last = constraints.length;
  while (last > 0 && constraints[last - 1] === 0) last--;
  const flags = [...constraints.subarray(0, last)].map((byte) => `.${byte.toString(16).toUpperCase()}`).join("");
  return `hvc1.${space}${profile & 0x1f}.${reversed.toString(16).toUpperCase()}.${tier}${level}${flags}`;
}
