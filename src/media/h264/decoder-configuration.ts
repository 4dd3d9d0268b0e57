/**
 * AVCDecoderConfigurationRecord, what a decoder must know before the first picture.
 *
 *   0         1         2         3       4             5           6
 *   +---------+---------+---------+-------+-------------+-----------+----------------------+-------+----------------------+----
 *   | version | profile | compat. | level | 6×1 len−1:2 | 3×1 sps:5 | sps × (u16 len, NAL) | pps:8 | pps × (u16 len, NAL) | …
 *   +---------+---------+---------+-------+-------------+-----------+----------------------+-------+----------------------+----
 *
 * Source: ISO/IEC 14496-15 section 5.3.3.1. RFC 6381 section 3.3 for the codec string.
 */
import { Reader, Writer } from "../../base/cursor.ts";
import { parseSequenceParameterSet, type SequenceParameterSet } from "./sequence-parameter-set.ts";

export interface DecoderConfiguration {
  /** RFC 6381 string, "avc1.64001f". */
  readonly codec: string;
  /** Bytes of the length before each NAL unit of this stream: 1, 2 or 4. */
  readonly lengthBytes: number;
  readonly sequence: SequenceParameterSet;
  /** The record, changed to announce 4-byte lengths; owned by this object. */
  readonly record: Uint8Array;
}

/** Copies what it needs; undefined when the record is damaged or has no parameter sets. Never throws. */
export function parseDecoderConfiguration(bytes: Uint8Array): DecoderConfiguration | undefined {
  const reader = new Reader(bytes);
  if (reader.u8() !== 1) return undefined;
  const profileAndLevel = reader.u24();
  const lengthBytes = (reader.u8() & 3) + 1;
  const sequenceSets = reader.u8() & 0x1f;
  let sequence: SequenceParameterSet | undefined;
  for (let i = 0; i < sequenceSets; i++) {
    const parsed = parseSequenceParameterSet(reader.take(reader.u16()));
    sequence ??= parsed;
  }
  const pictureSets = reader.u8();
  for (let i = 0; i < pictureSets; i++) reader.skip(reader.u16());
  if (reader.overrun || sequence === undefined || pictureSets === 0 || lengthBytes === 3) return undefined;
  const record = bytes.slice();
  record[4] = record[4]! | 3;
  return { codec: `avc1.${profileAndLevel.toString(16).padStart(6, "0")}`, lengthBytes, sequence, record };
}

/** The record of one sequence and one picture parameter set, as they travel in band; undefined when they are damaged. Never throws. */
export function decoderConfigurationOf(sequenceSet: Uint8Array, pictureSet: Uint8Array): DecoderConfiguration | undefined {
  const sequence = parseSequenceParameterSet(sequenceSet);
  if (sequence === undefined) return undefined;
  const writer = new Writer(32 + sequenceSet.length + pictureSet.length);
  writer.u8(1).put(sequenceSet.subarray(1, 4)).u8(0xff).u8(0xe1);
  writer.u16(sequenceSet.length).put(sequenceSet).u8(1).u16(pictureSet.length).put(pictureSet);
  const { chroma } = sequence;
  // Decoders of the high profiles are told again what the set says; and of no extension of it.
  if (chroma !== undefined)
    writer
      .u8(0xfc | chroma.format)
      .u8(0xf8 | (chroma.lumaBits - 8))
      .u8(0xf8 | (chroma.chromaBits - 8))
      .u8(0);
  return parseDecoderConfiguration(writer.finish());
}

/** The parameter sets in a record that was parsed before; sequence sets first. */
export function parameterSets(record: Uint8Array): Uint8Array[] {
  const reader = new Reader(record);
  reader.skip(5);
  const sets: Uint8Array[] = [];
  for (let count = reader.u8() & 0x1f; count > 0; count--) sets.push(reader.take(reader.u16()).slice());
  for (let count = reader.u8(); count > 0 && !reader.overrun; count--) sets.push(reader.take(reader.u16()).slice());
  return sets;
}
