/**
 * The configuration of Opus as Ogg and Enhanced RTMP have it, and as ISO files do.
 *
 *   OpusHead   "OpusHead" · version u8 · channels u8 · pre-skip u16 · rate u32 · gain s16 · mapping family u8 · [streams u8 · coupled u8 · mapping]        little-endian
 *   dOps                    version 0  · channels u8 · pre-skip u16 · rate u32 · gain s16 · mapping family u8 · [the same]                                big-endian
 *
 * Source: RFC 7845 section 5.1; Encapsulation of Opus in ISO Base Media File Format, section 4.3.2.
 */

export interface OpusHead {
  /** 1…8. */
  readonly channels: number;
  /** OpusSpecificBox without its head. */
  readonly configuration: Uint8Array;
}

/** Undefined when it is damaged, or of a version or a mapping that nobody decodes. */
export function parseOpusHead(record: Uint8Array): OpusHead | undefined {
  const [version = 0, channels = 0] = record.subarray(MAGIC.length);
  const family = record[MAPPING_AT];
  if (record.length < MAPPING_AT + 1 || MAGIC.some((byte, i) => record[i] !== byte) || version >> 4 !== 0) return undefined;
  // Family 0: one stream, mono or stereo; 1: up to eight channels in Vorbis' order.
  const whole = family === 0 ? MAPPING_AT + 1 : MAPPING_AT + 3 + channels;
  if (channels === 0 || (family === 0 ? channels > 2 : family !== 1 || channels > 8) || record.length < whole) return undefined;
  const configuration = record.slice(MAGIC.length, whole);
  configuration[0] = 0;
  for (const [at, width] of NUMBERS) configuration.subarray(at, at + width).reverse();
  return { channels, configuration };
}

const MAGIC = [...new TextEncoder().encode("OpusHead")];
const MAPPING_AT = 18;
/** Where pre-skip, rate and gain are in dOps, and how many bytes each has. */
const NUMBERS = [
  [2, 2],
  [4, 4],
  [8, 2],
] as const;
