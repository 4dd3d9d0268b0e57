/**
 * Tables of a transport stream: sections out of packets, checked, and what the two that matter here say.
 *
 *   | table id 8 | syntax 1, 0 1, … 2, length 12 | id 16 | … 2, version 5, current 1 | section 8 | last section 8 | entries | CRC-32 |
 *   PAT (id 0): entries of program number 16, … 3, PID 13
 *   PMT (id 2): … 3, PCR PID 13, … 4, info length 12, descriptors; entries of stream type 8, … 3, PID 13, … 4, info length 12, descriptors
 *
 * Source: ISO/IEC 13818-1 sections 2.4.4.3, 2.4.4.8 and annex A.
 *
 * Deviations: of several programs the first is taken; tables of more than one section, which nobody needs for so few streams, are read by their first one.
 */
import { Reader } from "../../base/cursor.ts";

const SECTION_BYTES_MAX = 1024;
const HEAD_BYTES = 3;
const CRC_BYTES = 4;
const STREAMS_MAX = 64;

export interface ElementaryStream {
  readonly type: number;
  readonly pid: number;
}

/** Puts sections of one PID together. */
export class SectionReader {
  readonly #bytes = new Uint8Array(SECTION_BYTES_MAX);
  #length = 0;
  #open = false;

  /** The next packet's payload bytes[start…end); a whole section whose check is right, borrowed until the next call; undefined: none yet. */
  push(bytes: Uint8Array, start: number, end: number, unitStart: boolean): Uint8Array | undefined {
    let from = start;
    if (unitStart) {
      // Bytes before the pointer end the section before; ours begins behind them, and there is none of interest in between.
      from = start + 1 + (bytes[start] ?? 0);
      this.#length = 0;
      this.#open = from < end;
    }
    if (!this.#open) return undefined;
    const n = Math.min(end - from, SECTION_BYTES_MAX - this.#length);
    this.#bytes.set(bytes.subarray(from, from + n), this.#length);
    this.#length += n;
    if (this.#length < HEAD_BYTES) return undefined;
    const whole = HEAD_BYTES + (((this.#bytes[1]! & 15) << 8) | this.#bytes[2]!);
    if (this.#length < whole && whole <= SECTION_BYTES_MAX) return undefined;
    this.#open = false;
    const section = this.#bytes.subarray(0, whole);
    return whole > SECTION_BYTES_MAX || whole < HEAD_BYTES + CRC_BYTES || crc32(section) !== 0 ? undefined : section;
  }

  reset(): void {
    this.#open = false;
  }
}

/** PID of the first program's map; undefined when there is none. */
export function readAssociation(section: Uint8Array): number | undefined {
  const reader = open(section, 0);
  while (reader !== undefined && reader.left >= 4) {
    const program = reader.u16();
    const pid = reader.u16() & 0x1fff;
    // Number 0 names the network's table.
    if (program !== 0) return pid;
  }
  return undefined;
}

/** Streams of a program in their order; undefined when it is no map. */
export function readMap(section: Uint8Array): readonly ElementaryStream[] | undefined {
  const reader = open(section, 2);
  if (reader === undefined) return undefined;
  reader.skip(2);
  reader.skip(reader.u16() & 0xfff);
  const streams: ElementaryStream[] = [];
  while (reader.left >= 5 && streams.length < STREAMS_MAX) {
    const type = reader.u8();
    streams.push({ type, pid: reader.u16() & 0x1fff });
    reader.skip(reader.u16() & 0xfff);
  }
  return reader.overrun ? undefined : streams;
}

function open(section: Uint8Array, table: number): Reader | undefined {
  // One that is only to come does not count yet.
  if (section[0] !== table || (section[5]! & 1) === 0) return undefined;
  return new Reader(section, 8, section.length - CRC_BYTES);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** CRC-32 of MPEG (annex A); 0 over a section with its own check behind it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) crc = ((crc << 8) ^ crcTable[((crc >>> 24) ^ bytes[i]!) & 0xff]!) >>> 0;
  return crc;
}
