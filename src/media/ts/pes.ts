/**
 * PES packets, which carry the pictures and the sound, out of transport packets of one PID.
 *
 *   | 00 00 01 | stream id 8 | length 16, 0 = open | 10, … 6 | PTS 1, DTS 1, … 6 | header length 8 | [PTS 5 bytes [DTS 5 bytes]] … | payload |
 *
 * Source: ISO/IEC 13818-1 section 2.4.3.6. A packet of open length ends where the next one begins.
 */
import type { Bytes } from "../../base/units.ts";

const HEAD_BYTES = 9;
const ROOM_AT_FIRST = 4096;

export class PesReader {
  readonly #bytesMax: Bytes;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ROOM_AT_FIRST);
  #length = 0;
  #open = false;
  /** Of the whole packet, 0 = open. */
  #whole = 0;
  #continuity = -1;
  /** What `take` gives is in bytes[start…end), borrowed until the next `push`. Times are in ticks of 90 kHz modulo 2^33; NaN: not said. */
  start = 0;
  end = 0;
  pts = Number.NaN;
  dts = Number.NaN;
  /** The packet that `take` gives said that a decoder can start with it. */
  randomAccess = false;
  /** Something before the packet that `take` gives is missing. */
  gap = false;
  #nextRandomAccess = false;
  #nextGap = false;
  readonly stats = { /** Transport packets missing, by their count. */ gaps: 0, damaged: 0, oversized: 0 };

  constructor(bytesMax: Bytes) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** False: a transport packet that came already. Told of each one before `begin` and `push`. */
  continues(continuity: number, discontinuity: boolean): boolean {
    const last = this.#continuity;
    this.#continuity = continuity;
    if (last < 0 || discontinuity) return true;
    if (continuity === last) return false;
    if (continuity === ((last + 1) & 15)) return true;
    this.stats.gaps++;
    this.#nextGap = true;
    this.#open = false;
    return true;
  }

  /** A PES packet ends by the beginning of the next one: true when there is one to take. Then `begin`. */
  finish(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    // Of known length and not there yet: its end is missing.
    if (this.#whole > 0) {
      this.#nextGap = true;
      return false;
    }
    return this.#read();
  }

  begin(randomAccess: boolean): void {
    this.#length = 0;
    this.#whole = 0;
    this.#open = true;
    this.#nextRandomAccess = randomAccess;
  }

  /** Payload of a transport packet; true when the PES packet is whole by it. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#open) return false;
    const n = end - start;
    if (this.#length + n > this.#bytesMax) {
      this.stats.oversized++;
      this.#open = false;
      this.#nextGap = true;
      return false;
    }
    if (this.#length + n > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(this.#bytes.length * 2, this.#length + n)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    const before = this.#length;
    this.#length += n;
    if (before < 6 && this.#length >= 6) {
      const length = (this.#bytes[4]! << 8) | this.#bytes[5]!;
      this.#whole = length === 0 ? 0 : 6 + length;
    }
    if (this.#whole === 0 || this.#length < this.#whole) return false;
    this.#length = this.#whole;
    this.#open = false;
    return this.#read();
  }

  #read(): boolean {
    const bytes = this.#bytes;
    const headerEnd = HEAD_BYTES + (bytes[8] ?? 0);
    const flags = bytes[7]! >> 6;
    const fits = this.#length > headerEnd && headerEnd >= HEAD_BYTES + (flags === 3 ? 10 : flags === 2 ? 5 : 0);
    if (!fits || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1 || (bytes[6]! & 0xc0) !== 0x80) {
      this.stats.damaged++;
      this.#nextGap = true;
      return false;
    }
    this.start = headerEnd;
    this.end = this.#length;
    this.pts = flags >= 2 ? time(bytes, 9) : Number.NaN;
    this.dts = flags === 3 ? time(bytes, 14) : this.pts;
    this.randomAccess = this.#nextRandomAccess;
    this.gap = this.#nextGap;
    this.#nextGap = false;
    return true;
  }
}

/** 33 bits: … 4, 3, marker 1, 15, marker 1, 15, marker 1. */
function time(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >> 1) & 7;
  const middle = ((bytes[at + 1]! << 8) | bytes[at + 2]!) >> 1;
  const low = ((bytes[at + 3]! << 8) | bytes[at + 4]!) >> 1;
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}
