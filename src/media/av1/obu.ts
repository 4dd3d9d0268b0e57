/**
 * Open bitstream units, the pieces of AV1, one behind the other.
 *
 *   | 0:1 type:4 extension:1 has size:1 0:1 | [extension u8] | [size leb128] | payload |
 *
 * Source: AV1 Bitstream & Decoding Process Specification sections 5.3.1 to 5.3.3, 4.10.5.
 */
export const SEQUENCE_HEADER = 1;
export const TEMPORAL_DELIMITER = 2;
export const FRAME_HEADER = 3;
export const FRAME = 6;

/** One object serves a whole buffer: `next` overwrites it. */
export class ObuReader {
  readonly #bytes: Uint8Array;
  #at: number;
  type = 0;
  /** First byte of the unit, of its payload, and the byte behind it. */
  start = 0;
  payload = 0;
  end = 0;
  /** The units do not end where the bytes do. */
  damaged = false;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** False at the end, or where it is damaged. */
  next(): boolean {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) return false;
    const header = bytes[this.#at]!;
    this.start = this.#at;
    this.type = (header >> 3) & 15;
    this.payload = this.#at + ((header & EXTENSION) === 0 ? 1 : 2);
    let size = bytes.length - this.payload;
    if ((header & HAS_SIZE) !== 0) size = this.#leb128();
    this.end = this.payload + size;
    this.damaged = (header & FORBIDDEN) !== 0 || size < 0 || this.end > bytes.length;
    this.#at = this.end;
    return !this.damaged;
  }

  /** Moves `payload` behind the number it reads. */
  #leb128(): number {
    let value = 0;
    for (let i = 0; i < LEB128_BYTES_MAX; i++) {
      const byte = this.#bytes[this.payload++] ?? 0x80;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

const FORBIDDEN = 0x80;
const EXTENSION = 0x04;
const HAS_SIZE = 0x02;
const LEB128_BYTES_MAX = 8;
