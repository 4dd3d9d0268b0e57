/**
 * The packet of MPEG-2 transport streams, 188 bytes:
 *
 *   0      1                                2                  3
 *   +------+--------------------------------+------------------+--------------------------------------------+---------------------+---------
 *   | 0x47 | error 1, unit start 1, prio 1, | … PID 13         | scrambled 2, adaptation 1, payload 1, cc 4 | [length, flags, …]  | payload
 *   +------+--------------------------------+------------------+--------------------------------------------+---------------------+---------
 *   flags: discontinuity 1, random access 1, …
 *
 * Source: ISO/IEC 13818-1 sections 2.4.3.2 and 2.4.3.4.
 */

export const PACKET_BYTES = 188;
export const SYNC = 0x47;

export class Packet {
  pid = 0;
  /** A section or PES packet begins in it. */
  unitStart = false;
  continuity = 0;
  /** The sender says that the count does not go on here. */
  discontinuity = false;
  /** A decoder can start with the picture that begins here. */
  randomAccess = false;
  /** bytes[start…end) is payload; empty where there is none. */
  start = 0;
  end = 0;

  /** Reads the packet at `at`, whole and behind a sync byte. False: it is damaged or scrambled. */
  read(bytes: Uint8Array, at: number): boolean {
    const [first, second, third] = [bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
    this.pid = ((first & 0x1f) << 8) | second;
    this.unitStart = (first & 0x40) !== 0;
    this.continuity = third & 15;
    this.discontinuity = false;
    this.randomAccess = false;
    this.end = at + PACKET_BYTES;
    this.start = at + 4;
    if ((first & 0x80) !== 0 || (third & 0xc0) !== 0) return false;
    if ((third & 0x20) !== 0) {
      const length = bytes[at + 4]!;
      this.start += 1 + length;
      if (this.start > this.end) return false;
      if (length > 0) {
        this.discontinuity = (bytes[at + 5]! & 0x80) !== 0;
        this.randomAccess = (bytes[at + 5]! & 0x40) !== 0;
      }
    }
    if ((third & 0x10) === 0) this.start = this.end;
    return true;
  }
}
