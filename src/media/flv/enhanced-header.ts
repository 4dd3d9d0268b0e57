/**
 * What Enhanced RTMP puts between the first byte of a message and its data, alike for sound and pictures.
 *
 *   [ModEx: size−1 u8 (255: u16 follows) · data · 0:4 packet type:4] … · FourCC · data
 *   several tracks:   kind:4 packet type:4 · one track     FourCC · track id u8 · data
 *                                          · many tracks   FourCC · (track id u8 · bytes u24 · data) …
 *                                          · many codecs            (FourCC · track id u8 · bytes u24 · data) …
 *
 * Source: Enhanced RTMP v2, "ExAudioTagHeader", "ExVideoTagHeader" and their bodies.
 *
 * Deviations: what ModEx says (nanoseconds between two milliseconds) is skipped.
 */
export class EnhancedHeader {
  /** Of the data, 0…15. */
  packetType = 0;
  /** FourCC. */
  codec = 0;
  /** 0 where none is named. */
  track = 0;
  /** The data of this track are payload[start…end). */
  start = 0;
  end = 0;
  damaged = false;
  #kind = ONE_TRACK;

  /** `packetType`: of the first byte; `multitrack`: which one says that a track is named. */
  read(payload: Uint8Array, packetType: number, multitrack: number): void {
    this.damaged = false;
    this.track = 0;
    this.#kind = NO_TRACK;
    this.packetType = packetType;
    let at = 1;
    while (this.packetType === MOD_EX && at < payload.length) {
      let size = payload[at++]! + 1;
      if (size === MOD_EX_LONG) {
        size = unsigned(payload, at, 2) + 1;
        at += 2;
      }
      at += size;
      this.packetType = (payload[at++] ?? MOD_EX) & 0x0f;
    }
    if (this.packetType === multitrack) {
      const second = payload[at++] ?? 0;
      this.#kind = second >> 4;
      this.packetType = second & 0x0f;
      this.damaged = this.#kind > MANY_CODECS || this.packetType === multitrack;
    }
    if (this.#kind !== MANY_CODECS) {
      this.codec = unsigned(payload, at, 4);
      at += 4;
    }
    this.#readTrack(payload, at);
  }

  /** The message's next track; false: there is none. */
  next(payload: Uint8Array): boolean {
    if (this.damaged || this.end >= payload.length) return false;
    this.#readTrack(payload, this.end);
    return true;
  }

  #readTrack(payload: Uint8Array, from: number): void {
    let at = from;
    this.end = payload.length;
    if (this.#kind === MANY_CODECS) {
      this.codec = unsigned(payload, at, 4);
      at += 4;
    }
    if (this.#kind !== NO_TRACK) this.track = payload[at++] ?? 0;
    if (this.#kind === MANY_TRACKS || this.#kind === MANY_CODECS) {
      this.end = at + 3 + unsigned(payload, at, 3);
      at += 3;
    }
    this.start = at;
    this.damaged ||= at > payload.length || this.end > payload.length;
  }
}

function unsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

const MOD_EX = 7;
const MOD_EX_LONG = 256;
/** AvMultitrackType, and that it is not there. */
const NO_TRACK = -1;
const ONE_TRACK = 0;
const MANY_TRACKS = 1;
const MANY_CODECS = 2;
