/**
 * Reads a stream of the snappy framing format (chunk.ts) that arrives in pieces of any size.
 *
 *   receive(piece) → up to one chunk → bytes[start…end)
 *
 * A chunk that lies whole in the piece is read where it lies: a stored one is handed on without a copy. One that is cut is gathered in a
 * buffer, which grows to the longest such chunk, at most 76,498 bytes.
 */
import { ProtocolError } from "../base/errors.ts";
import { BLOCK_BYTES } from "./block.ts";
import { BlockDecoder } from "./block-decoder.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_BODY_BYTES_MAX,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_SKIPPABLE_FIRST,
  CHUNK_STORED,
  CHUNK_STREAM_IDENTIFIER,
  STREAM_IDENTIFIER,
} from "./chunk.ts";
import { crc32cMasked } from "./crc32c.ts";

const GATHER_BYTES_START = 2048;
const OUTPUT_BYTES_START = 256;
const nothing = new Uint8Array(0);

export interface SnappyDecoderStats {
  /** Bytes given to `receive` and consumed. */
  bytesIn: number;
  /** Bytes handed out. */
  bytesOut: number;
  chunks: number;
  /** Chunks of a kind that is skipped. */
  chunksSkipped: number;
  /** Bytes ignored because the stream had failed. */
  bytesAfterFailure: number;
}

export class SnappyDecoder {
  readonly stats: SnappyDecoderStats = { bytesIn: 0, bytesOut: 0, chunks: 0, chunksSkipped: 0, bytesAfterFailure: 0 };
  /** Set once the stream is damaged beyond reading on; codes "snappy.chunk", "snappy.length", "snappy.identifier", "snappy.data", "snappy.checksum". */
  failed: ProtocolError | undefined;
  /** What the last `receive` brought: bytes[start…end), often empty. Borrowed until the next call, and from the piece that was given. */
  bytes: Uint8Array;
  start = 0;
  end = 0;
  readonly #blocks = new BlockDecoder();
  /** As long as the longest block that was compressed, or up to twice as long. */
  #output = nothing;
  /** The cut chunk, from its header on. */
  #gathered = nothing;
  #gatheredBytes = 0;
  #started = false;

  constructor() {
    this.bytes = this.#gathered;
  }

  /** Consumes bytes[start…end) up to the end of the first chunk in it. Answers the bytes consumed, at least 1 unless the piece is empty. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    this.start = 0;
    this.end = 0;
    if (this.failed !== undefined) {
      this.stats.bytesAfterFailure += end - start;
      return end - start;
    }
    const consumed = this.#gatheredBytes === 0 ? this.#readInPlace(bytes, start, end) : this.#gather(bytes, start, end);
    this.stats.bytesIn += consumed;
    this.stats.bytesOut += this.end - this.start;
    return consumed;
  }

  /** Room held for gathering and output, for metrics. */
  get bytesHeld(): number {
    return this.#gathered.length + this.#output.length;
  }

  /** Lets go of room that was made for chunks; it is made anew when it is needed. What the last `receive` brought is valid no more. */
  rest(): void {
    if (this.#gatheredBytes > 0) return;
    this.#gathered = nothing;
    this.#output = nothing;
    this.bytes = nothing;
    this.start = 0;
    this.end = 0;
  }

  #readInPlace(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < CHUNK_HEADER_BYTES) return this.#gather(bytes, start, end);
    const body = this.#bodyBytes(bytes, start);
    if (body < 0) return end - start;
    const next = start + CHUNK_HEADER_BYTES + body;
    if (next > end) return this.#gather(bytes, start, end);
    this.#read(bytes, start, next);
    return next - start;
  }

  #gather(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#gathered === nothing) this.#gathered = new Uint8Array(GATHER_BYTES_START);
    while (at < end && this.#gatheredBytes < CHUNK_HEADER_BYTES) this.#gathered[this.#gatheredBytes++] = bytes[at++]!;
    if (this.#gatheredBytes < CHUNK_HEADER_BYTES) return at - start;
    const body = this.#bodyBytes(this.#gathered, 0);
    if (body < 0) return end - start;
    const chunk = CHUNK_HEADER_BYTES + body;
    if (chunk > this.#gathered.length) this.#grow(chunk);
    const n = Math.min(chunk - this.#gatheredBytes, end - at);
    for (let i = 0; i < n; i++) this.#gathered[this.#gatheredBytes + i] = bytes[at + i]!;
    this.#gatheredBytes += n;
    if (this.#gatheredBytes === chunk) {
      this.#gatheredBytes = 0;
      this.#read(this.#gathered, 0, chunk);
    }
    return at + n - start;
  }

  #grow(chunk: number): void {
    const longest = CHUNK_HEADER_BYTES + CHUNK_BODY_BYTES_MAX;
    const grown = new Uint8Array(Math.min(longest, Math.max(chunk, 2 * this.#gathered.length)));
    grown.set(this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gathered = grown;
  }

  /** Length behind the header at `at`; −1, and failed, when a chunk of this type or length is not read. */
  #bodyBytes(bytes: Uint8Array, at: number): number {
    const type = bytes[at]!;
    const n = bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16);
    if (type !== CHUNK_STREAM_IDENTIFIER && !this.#started) return this.#fail("snappy.identifier", "the stream identifier is missing");
    if (type > CHUNK_STORED && type < CHUNK_SKIPPABLE_FIRST) return this.#fail("snappy.chunk", `a chunk of unknown type ${type}`);
    if (n > CHUNK_BODY_BYTES_MAX) return this.#fail("snappy.length", `a chunk of ${n} bytes`);
    if (type === CHUNK_STREAM_IDENTIFIER && n !== STREAM_IDENTIFIER.length)
      return this.#fail("snappy.identifier", `a stream identifier of ${n} bytes`);
    if (type === CHUNK_STORED && n > CHECKSUM_BYTES + BLOCK_BYTES) return this.#fail("snappy.length", `a stored chunk of ${n} bytes`);
    if (type <= CHUNK_STORED && n < CHECKSUM_BYTES) return this.#fail("snappy.length", "a chunk without a checksum");
    return n;
  }

  /** Reads the whole chunk bytes[at…end). */
  #read(bytes: Uint8Array, at: number, end: number): void {
    this.stats.chunks++;
    const data = at + CHUNK_HEADER_BYTES + CHECKSUM_BYTES;
    switch (bytes[at]) {
      case CHUNK_COMPRESSED: {
        const output = this.#room(this.#blocks.length(bytes, data, end));
        const n = this.#blocks.uncompress(bytes, data, end, output, 0, output.length);
        if (n < 0) this.#fail("snappy.data", "a compressed chunk is damaged");
        else this.#answer(bytes, data - CHECKSUM_BYTES, output, 0, n);
        return;
      }
      case CHUNK_STORED:
        this.#answer(bytes, data - CHECKSUM_BYTES, bytes, data, end);
        return;
      case CHUNK_STREAM_IDENTIFIER:
        this.#started = true;
        for (let i = 0; i < STREAM_IDENTIFIER.length; i++)
          if (bytes[at + CHUNK_HEADER_BYTES + i] !== STREAM_IDENTIFIER[i]) this.#fail("snappy.identifier", "a wrong stream identifier");
        return;
      default:
        this.stats.chunksSkipped++;
    }
  }

  /** Room for a block of so many bytes, as far as a block may be that long. */
  #room(length: number): Uint8Array {
    if (length > this.#output.length && length <= BLOCK_BYTES) {
      this.#output = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(length, 2 * this.#output.length, OUTPUT_BYTES_START)));
    }
    return this.#output;
  }

  #answer(chunk: Uint8Array, checksumAt: number, bytes: Uint8Array, start: number, end: number): void {
    const expected = chunk[checksumAt]! | (chunk[checksumAt + 1]! << 8) | (chunk[checksumAt + 2]! << 16) | (chunk[checksumAt + 3]! << 24);
    if (crc32cMasked(bytes, start, end) !== expected) {
      this.#fail("snappy.checksum", "the checksum of a chunk is wrong");
      return;
    }
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  #fail(code: string, message: string): -1 {
    this.failed ??= new ProtocolError(code, message);
    return -1;
  }
}
