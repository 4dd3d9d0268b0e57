/**
 * Writes a stream of the snappy framing format (chunk.ts), one chunk a call: what a call is given can be read by the peer at once.
 *
 *   encode(frame) → [stream identifier, first call only] [chunk]
 *
 * As the Go library does, data is stored when compression saves less than an eighth.
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/units.ts";
import { BLOCK_BYTES } from "./block.ts";
import { BlockEncoder } from "./block-encoder.ts";
import { CHECKSUM_BYTES, CHUNK_COMPRESSED, CHUNK_HEADER_BYTES, CHUNK_STORED, CHUNK_STREAM_IDENTIFIER, STREAM_IDENTIFIER } from "./chunk.ts";
import { crc32cMasked } from "./crc32c.ts";

/** Tuning: from here on a view pays, even one that is used once. */
const VIEW_BYTES_MIN: Bytes = 1024;

export interface SnappyEncoderStats {
  /** Bytes given to `encode`. */
  bytesIn: number;
  /** Bytes written. */
  bytesOut: number;
  chunksCompressed: number;
  chunksStored: number;
}

export class SnappyEncoder {
  readonly stats: SnappyEncoderStats = { bytesIn: 0, bytesOut: 0, chunksCompressed: 0, chunksStored: 0 };
  readonly #blocks = new BlockEncoder();
  #started = false;
  /** Of the data stored last: frames of a flow lie at the same place and are as long. */
  #stored: Uint8Array | undefined;
  #storedOf: Uint8Array | undefined;
  #storedAt = 0;

  /** Most bytes a call of `encode` makes of `n`: both the room it needs and the length it may answer. */
  static encodedBytesMax(n: Bytes): Bytes {
    return CHUNK_HEADER_BYTES + STREAM_IDENTIFIER.length + CHUNK_HEADER_BYTES + CHECKSUM_BYTES + n;
  }

  /**
   * Writes bytes[start…end), 1…65536 bytes, as one chunk to into[offset…offset + encodedBytesMax(end - start)). Answers the bytes written.
   * `into` must not overlap the input.
   */
  encode(bytes: Uint8Array, start: number, end: number, into: Uint8Array, offset: number): Bytes {
    const n = end - start;
    assert(n >= 1 && n <= BLOCK_BYTES, "a chunk holds 1…65536 bytes");
    assert(offset + SnappyEncoder.encodedBytesMax(n) <= into.length, "no room for the chunk");
    let at = offset;
    if (!this.#started) at = putStreamIdentifier(into, at);
    this.#started = true;
    const data = at + CHUNK_HEADER_BYTES + CHECKSUM_BYTES;
    const compressed = this.#blocks.compress(bytes, start, end, into, data, data + n - (n >>> 3) - 1);
    const length = compressed === 0 ? n : compressed;
    if (compressed === 0) {
      if (n < VIEW_BYTES_MIN) for (let i = 0; i < n; i++) into[data + i] = bytes[start + i]!;
      else into.set(this.#view(bytes, start, n), data);
      this.stats.chunksStored++;
    } else this.stats.chunksCompressed++;
    at = putHeader(into, at, compressed === 0 ? CHUNK_STORED : CHUNK_COMPRESSED, CHECKSUM_BYTES + length);
    const checksum = crc32cMasked(bytes, start, end);
    into[at++] = checksum;
    into[at++] = checksum >>> 8;
    into[at++] = checksum >>> 16;
    into[at++] = checksum >>> 24;
    this.stats.bytesIn += n;
    this.stats.bytesOut += data + length - offset;
    return data + length - offset;
  }

  #view(bytes: Uint8Array, start: number, n: Bytes): Uint8Array {
    const known = this.#stored;
    if (known !== undefined && this.#storedOf === bytes && this.#storedAt === start && known.length === n) return known;
    const made = bytes.subarray(start, start + n);
    this.#stored = made;
    this.#storedOf = bytes;
    this.#storedAt = start;
    return made;
  }
}

function putHeader(into: Uint8Array, at: number, type: number, length: number): number {
  into[at++] = type;
  into[at++] = length;
  into[at++] = length >>> 8;
  into[at++] = length >>> 16;
  return at;
}

function putStreamIdentifier(into: Uint8Array, at: number): number {
  at = putHeader(into, at, CHUNK_STREAM_IDENTIFIER, STREAM_IDENTIFIER.length);
  for (let i = 0; i < STREAM_IDENTIFIER.length; i++) into[at++] = STREAM_IDENTIFIER[i]!;
  return at;
}
