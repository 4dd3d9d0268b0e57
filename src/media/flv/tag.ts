/**
 * Tags of an FLV file, which are also the messages of RTMP with another header.
 *
 *   file:  "FLV" · version 1 · flags (4 audio, 1 video) · u32 length of this header · u32 0 · tag · u32 its length · tag · u32 its length …
 *
 *   tag:   0      1           4            7         8           11
 *          +------+-----------+------------+---------+-----------+----------------+
 *          | type | data u24  | ms low u24 | ms high | stream 0  | data           |
 *          +------+-----------+------------+---------+-----------+----------------+
 *
 *   pipeline:  RTMP message or tag → video-tag, audio-tag (headers) → timeline (one clock that never wraps) → to-unit (Tracks and Units)
 *
 * Source: Adobe Flash Video File Format 10.1, annex E. Enhanced RTMP v2 (Veovera) for the FourCC headers.
 *
 * Deviations: encrypted tags (the filter bit) are damage; the length behind a tag is skipped, not compared.
 */
import { Reader } from "../../base/cursor.ts";
import type { Millis } from "../../base/units.ts";

/** Types of tags and of RTMP messages. */
export const AUDIO = 8;
export const VIDEO = 9;
export const SCRIPT = 18;

/** Walks over the tags of bytes[at…end), which it borrows. Never throws: `damaged` says that it stopped before the end. */
export class FlvReader {
  readonly #reader: Reader;
  /** Type of the tag just read. */
  type = 0;
  /** 0…2^32−1. */
  timestamp: Millis = 0;
  /** The tag's data are bytes[start…end). */
  start = 0;
  end = 0;
  damaged = false;

  /** `at`: where the first tag begins. */
  constructor(bytes: Uint8Array, at: number, end: number = bytes.length) {
    this.#reader = new Reader(bytes, at, end);
  }

  /** Reads the next tag; false at the end. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.left === 0 || this.damaged) return false;
    const type = reader.u8();
    const length = reader.u24();
    const low = reader.u24();
    this.timestamp = reader.u8() * 0x100_0000 + low;
    reader.skip(3);
    this.type = type & 0x1f;
    this.start = reader.position;
    this.end = this.start + length;
    reader.skip(length);
    // The last tag of a file that is still being written may lack the length behind it.
    const bodyMissing = reader.overrun;
    reader.skip(Math.min(4, reader.left));
    this.damaged = bodyMissing || (type & FILTER_BIT) !== 0;
    return !this.damaged;
  }
}

/** Where the first tag of an FLV file begins, −1 when it is none. */
export function firstTag(file: Uint8Array): number {
  const reader = new Reader(file);
  const signature = reader.u24();
  reader.skip(2);
  const header = reader.u32();
  return signature === SIGNATURE && header >= 9 && header + 4 <= file.length && !reader.overrun ? header + 4 : -1;
}

const SIGNATURE = 0x464c56;
const FILTER_BIT = 0x20;
