/**
 * AV1CodecConfigurationRecord, what a decoder must know before the first picture.
 *
 *   | 1:1 version:7 | profile:3 level:5 | tier:1 high:1 twelve:1 mono:1 subsampling:4 | 0:3 delay:5 | OBUs: the sequence header |
 *
 * Source: AV1 Codec ISO Media File Format Binding sections 2.3.3 and 5.
 */
import { ObuReader, SEQUENCE_HEADER } from "./obu.ts";
import { parseSequenceHeader, type SequenceHeader } from "./sequence-header.ts";

export interface CodecConfiguration {
  /** RFC 6381 string, "av01.0.04M.08". */
  readonly codec: string;
  readonly sequence: SequenceHeader;
}

const HEADER_BYTES = 4;

/** Undefined when the record is damaged or has no sequence header. Never throws. */
export function parseCodecConfiguration(bytes: Uint8Array): CodecConfiguration | undefined {
  if (bytes.length <= HEADER_BYTES || bytes[0] !== 0x81) return undefined;
  const [, second = 0, third = 0] = bytes;
  const units = new ObuReader(bytes, HEADER_BYTES);
  while (units.next()) {
    if (units.type !== SEQUENCE_HEADER) continue;
    const sequence = parseSequenceHeader(bytes.subarray(units.payload, units.end));
    if (sequence === undefined) return undefined;
    const level = String(second & 0x1f).padStart(2, "0");
    const tier = (third & 0x80) === 0 ? "M" : "H";
    const depth = (third & 0x40) === 0 ? "08" : (third & 0x20) === 0 ? "10" : "12";
    return { codec: `av01.${second >> 5}.${level}${tier}.${depth}`, sequence };
  }
  return undefined;
}
