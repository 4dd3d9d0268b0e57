/**
 * H.264 in RTP: NAL units alone, several in one packet, or one in several.
 *
 *   single       | NAL unit                               |      type 1…23
 *   STAP-A       | F NRI 24 | size, 16 | NAL unit | … |
 *   FU-A         | F NRI 28 | S E 0 type | fragment …     |      S: first, E: last fragment of a NAL unit of `type`
 *
 * Access units go in and come out as files carry them: each NAL unit behind its length in 4 bytes (h264/access-unit.ts).
 *
 * Source: RFC 6184 sections 5.6, 5.7.1 and 5.8.
 *
 * Deviations: interleaved mode is not understood. Delimiters and filler are dropped; parameter sets are kept apart.
 */
import type { Bytes } from "../../base/units.ts";

const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_DELIMITER = 9;
const NAL_FILLER = 12;
const STAP_A = 24;
const FU_A = 28;
const TYPE = 0x1f;
const START = 0x80;
const END = 0x40;
const LENGTH_BYTES = 4;

/** Puts access units together: `clear`, `add` of each payload in order, then `bytes[0…length)`. */
export class H264Assembler {
  /** Payloads that contradict themselves. */
  damaged = 0;
  /** Limit hit: access units longer than bytesMax. */
  tooLong = 0;
  /** The last parameter sets seen, owned by nobody else. */
  sequenceSet: Uint8Array | undefined;
  pictureSet: Uint8Array | undefined;
  /** The unit holds a slice of an IDR picture. */
  keyframe = false;
  length = 0;
  /** The unit is not whole: something was damaged, missing or too long. */
  broken = false;
  #bytes: Uint8Array;
  readonly #bytesMax: Bytes;
  /** Where the length of the fragmented NAL unit at hand goes, −1 = none is open. */
  #open = -1;

  /** `bytesMax`: longest access unit; 4 MiB. */
  constructor(bytesMax: Bytes = 4 << 20) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesMax, 64 << 10));
  }

  clear(): void {
    this.length = 0;
    this.keyframe = false;
    this.broken = false;
    this.#open = -1;
  }

  /** A copy of the unit, which the caller owns; undefined when it is broken or holds no picture. */
  take(): Uint8Array | undefined {
    if (this.broken || this.#open >= 0 || this.length === 0) return undefined;
    return this.#bytes.slice(0, this.length);
  }

  /** Adds the payload bytes[start…end). */
  add(bytes: Uint8Array, start: number, end: number): void {
    const type = bytes[start]! & TYPE;
    if (type === STAP_A) this.#addAggregate(bytes, start + 1, end);
    else if (type === FU_A) this.#addFragment(bytes, start, end);
    else if (type === 0 || type > STAP_A) this.#damage();
    else this.#addUnit(bytes, start, end);
  }

  #addAggregate(bytes: Uint8Array, from: number, end: number): void {
    let at = from;
    while (end - at > 2) {
      const length = bytes[at]! * 256 + bytes[at + 1]!;
      at += 2;
      if (length === 0 || length > end - at) break;
      this.#addUnit(bytes, at, at + length);
      at += length;
    }
    if (at !== end) this.#damage();
  }

  #addFragment(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 3) {
      this.#damage();
      return;
    }
    const head = bytes[start + 1]!;
    if ((head & START) !== 0) {
      if (this.#open >= 0) this.#damage();
      this.#open = this.length;
      const nal = (bytes[start]! & 0xe0) | (head & TYPE);
      if ((nal & TYPE) === NAL_IDR) this.keyframe = true;
      if (!this.#grow(LENGTH_BYTES + 1)) return;
      this.length += LENGTH_BYTES;
      this.#bytes[this.length++] = nal;
    } else if (this.#open < 0) {
      this.#damage();
      return;
    }
    this.#append(bytes, start + 2, end);
    if ((head & END) === 0) return;
    this.#putLength(this.#open, this.length - this.#open - LENGTH_BYTES);
    this.#open = -1;
  }

  #addUnit(bytes: Uint8Array, start: number, end: number): void {
    if (this.#open >= 0) this.#damage();
    const type = bytes[start]! & TYPE;
    if (type === NAL_SPS) this.sequenceSet = kept(this.sequenceSet, bytes, start, end);
    else if (type === NAL_PPS) this.pictureSet = kept(this.pictureSet, bytes, start, end);
    else if (type !== NAL_DELIMITER && type !== NAL_FILLER) {
      if (type === NAL_IDR) this.keyframe = true;
      if (!this.#grow(LENGTH_BYTES)) return;
      this.#putLength(this.length, end - start);
      this.length += LENGTH_BYTES;
      this.#append(bytes, start, end);
    }
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#grow(end - start)) return;
    const into = this.#bytes;
    let to = this.length;
    for (let i = start; i < end; i++) into[to++] = bytes[i]!;
    this.length = to;
  }

  #putLength(at: number, length: number): void {
    for (let i = 0; i < LENGTH_BYTES; i++) this.#bytes[at + i] = length >>> (24 - 8 * i);
  }

  #grow(count: Bytes): boolean {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return true;
    if (needed > this.#bytesMax) {
      if (!this.broken) this.tooLong++;
      this.broken = true;
      return false;
    }
    const longer = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2)));
    longer.set(this.#bytes.subarray(0, this.length));
    this.#bytes = longer;
    return true;
  }

  #damage(): void {
    this.damaged++;
    this.broken = true;
    this.#open = -1;
  }
}

/** The set known already where it is the same: they are repeated with every key frame. */
function kept(known: Uint8Array | undefined, bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (known !== undefined && known.length === end - start && known.every((byte, i) => byte === bytes[start + i])) return known;
  return bytes.slice(start, end);
}

/** Takes access units apart: `open`, then `next` until it answers 0. */
export class H264Packetizer {
  /** What `next` wrote is the last of the unit. */
  last = false;
  #unit: Uint8Array = new Uint8Array(0);
  #at = 0;
  #nalEnd = 0;
  #fragment = 0;
  #sets: readonly Uint8Array[] = [];
  #set = 0;

  /** `sets` (parameter sets) go before the unit, whose NAL units each have their length in 4 bytes before them; both are borrowed until the end. */
  open(unit: Uint8Array, sets: readonly Uint8Array[] = []): void {
    this.#unit = unit;
    this.#sets = sets;
    this.#set = 0;
    this.#at = 0;
    this.#nalEnd = 0;
    this.#fragment = 0;
    this.last = false;
  }

  /** Writes the next payload to the beginning of `into`, at most `bytesMax`; answers its length. */
  next(into: Uint8Array, bytesMax: Bytes): Bytes {
    const set = this.#sets[this.#set];
    if (set !== undefined && set.length <= bytesMax) {
      this.#set++;
      into.set(set);
      return set.length;
    }
    if (this.#at >= this.#nalEnd && !this.#openUnit()) return 0;
    const start = this.#at;
    const left = this.#nalEnd - start;
    if (this.#fragment === 0 && left <= bytesMax) {
      for (let i = 0; i < left; i++) into[i] = this.#unit[start + i]!;
      this.#at = this.#nalEnd;
      this.#finish();
      return left;
    }
    return this.#nextFragment(into, bytesMax);
  }

  #nextFragment(into: Uint8Array, bytesMax: Bytes): Bytes {
    const unit = this.#unit;
    if (this.#fragment === 0) this.#fragment = unit[this.#at++]! | 0x100;
    const first = into.length > 0 && (this.#fragment & 0x200) === 0;
    this.#fragment |= 0x200;
    const count = Math.min(this.#nalEnd - this.#at, bytesMax - 2);
    const final = this.#at + count === this.#nalEnd;
    into[0] = (this.#fragment & 0xe0) | FU_A;
    into[1] = (first ? START : 0) | (final ? END : 0) | (this.#fragment & TYPE);
    for (let i = 0; i < count; i++) into[2 + i] = unit[this.#at + i]!;
    this.#at += count;
    if (final) {
      this.#fragment = 0;
      this.#finish();
    }
    return count + 2;
  }

  /** Goes to the next NAL unit that is not empty. */
  #openUnit(): boolean {
    const unit = this.#unit;
    while (this.#at + LENGTH_BYTES < unit.length) {
      const at = this.#at;
      const length = unit[at]! * 2 ** 24 + unit[at + 1]! * 65_536 + unit[at + 2]! * 256 + unit[at + 3]!;
      this.#at = at + LENGTH_BYTES;
      this.#nalEnd = Math.min(this.#at + length, unit.length);
      if (this.#at < this.#nalEnd) return true;
    }
    return false;
  }

  #finish(): void {
    this.last = this.#nalEnd + LENGTH_BYTES >= this.#unit.length;
  }
}
