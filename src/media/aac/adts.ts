/**
 * ADTS, the header before each AAC frame in transport streams.
 *
 *   | sync fff | version 1 | layer 00 | no CRC 1 | profile 2 | frequency index 4 | private 1 | channels 3 | … 4 | frame length 13 | fullness 11 | blocks−1 2 | [CRC 16]
 *
 * Source: ISO/IEC 13818-7 section 6.2, ISO/IEC 14496-3 section 1.A.2.2.
 *
 * Deviations: several raw blocks behind one header, which nobody sends, are damage. SBR that only the frames themselves tell of is not announced: decoders find it.
 */

/** Longest header: with CRC. */
export const ADTS_BYTES_MAX = 9;

export class Adts {
  /** Of the whole frame, header included. */
  frameBytes = 0;
  headerBytes = 0;
  /** AudioSpecificConfig as a number of 16 bits. */
  configuration = 0;

  /** Reads the header at `at`; at least 7 bytes are there. False: it is none. */
  read(bytes: Uint8Array, at: number): boolean {
    const second = bytes[at + 1]!;
    if (bytes[at] !== 0xff || (second & 0xf6) !== 0xf0) return false;
    const [third, fourth, seventh] = [bytes[at + 2]!, bytes[at + 3]!, bytes[at + 6]!];
    this.headerBytes = (second & 1) === 1 ? 7 : ADTS_BYTES_MAX;
    this.frameBytes = ((fourth & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
    const objectType = (third >> 6) + 1;
    const channels = ((third & 1) << 2) | (fourth >> 6);
    this.configuration = (objectType << 11) | (((third >> 2) & 15) << 7) | (channels << 3);
    return this.frameBytes > this.headerBytes && (seventh & 3) === 0 && channels > 0;
  }
}
