/**
 * Sequence header of AV1: profile, level, depth and the largest size of the pictures.
 *
 * Source: AV1 Bitstream & Decoding Process Specification sections 5.5.1, 5.5.2; AV1 Codec ISO Media File Format Binding section 5 for the codec string.
 *
 * Deviation: nothing behind the size is read but what the decoder configuration record says already.
 */
import { BitReader } from "../../base/bit-reader.ts";

export interface SequenceHeader {
  readonly width: number;
  readonly height: number;
  /** Nominal frames per second, 0 where the header does not say. */
  readonly framesPerSecond: number;
}

/** The payload of the unit; undefined when it is damaged. Never throws. */
export function parseSequenceHeader(payload: Uint8Array): SequenceHeader | undefined {
  const reader = new BitReader(payload);
  reader.skip(4);
  let framesPerSecond = 0;
  if (reader.flag()) reader.skip(5);
  else framesPerSecond = readOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  return reader.overrun ? undefined : { width, height, framesPerSecond };
}

/** Answers the frame rate. */
function readOperatingPoints(reader: BitReader): number {
  let rate = 0;
  let decoderModel = false;
  let delayBits = 0;
  if (reader.flag()) {
    const unitsInTick = reader.bits(32);
    const timeScale = reader.bits(32);
    const ticks = reader.flag() ? reader.ue() + 1 : 0;
    rate = ticks === 0 || unitsInTick === 0 ? 0 : timeScale / (unitsInTick * ticks);
    decoderModel = reader.flag();
    if (decoderModel) {
      delayBits = reader.bits(5) + 1;
      reader.skip(32 + 5 + 5);
    }
  }
  const initialDelay = reader.flag();
  for (let points = reader.bits(5) + 1; points > 0 && !reader.overrun; points--) {
    reader.skip(12);
    if (reader.bits(5) > LEVEL_WITHOUT_TIER) reader.skip(1);
    if (decoderModel && reader.flag()) reader.skip(2 * delayBits + 1);
    if (initialDelay && reader.flag()) reader.skip(4);
  }
  return rate <= FRAMES_PER_SECOND_MAX ? rate : 0;
}

/** seq_level_idx up to 4.1 has one tier. */
const LEVEL_WITHOUT_TIER = 7;
const FRAMES_PER_SECOND_MAX = 1000;
