/**
 * Puts messages together out of chunks.
 *
 *   basic header          message header                                              extended timestamp    data
 *   | fmt:2 id:6 |        fmt 0:  time u24 · length u24 · type u8 · stream u32le       u32 when the time     up to the chunk size
 *   | fmt:2 0  | id−64 |  fmt 1:  delta u24 · length u24 · type u8                     or delta is
 *   | fmt:2 1  | u16le |  fmt 2:  delta u24                                            0xffffff
 *                         fmt 3:  –   goes on, or begins a message like the last one
 *
 * Source: Adobe RTMP 1.0 section 5.3.1.
 *
 * Deviations: a chunk stream may begin with fmt 1, as librtmp's pings do.
 */
import { ProtocolError } from "../../base/errors.ts";
import { Slab } from "../../base/slab.ts";
import type { Bytes } from "../../base/units.ts";
import type { RtmpLimits, RtmpStats } from "./limits.ts";
import type { Message } from "./message.ts";

export class ChunkReader {
  readonly #slab = new Slab();
  /** The peer's chunk size; changed by its Set Chunk Size. */
  chunkBytes: Bytes = INITIAL_CHUNK_BYTES;
  failure: ProtocolError | undefined;
  /** Memory held by incomplete messages. */
  assemblyBytes: Bytes = 0;
  readonly #limits: RtmpLimits;
  readonly #stats: RtmpStats;
  readonly #streams = new Map<number, ChunkStream>();
  /** A header that came in pieces. */
  readonly #header = new Uint8Array(HEADER_BYTES_MAX);
  #headerFilled = 0;
  /** The chunk being read, undefined between chunks. */
  #current: ChunkStream | undefined;
  #chunkLeft: Bytes = 0;
  #message: Message | undefined;

  constructor(limits: RtmpLimits, stats: RtmpStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  /** Reads bytes[at…end), which it borrows, up to the end of one message; answers where it stopped. Take the message, then call again. */
  read(bytes: Uint8Array, at: number, end: number): number {
    while (at < end && this.#message === undefined && this.failure === undefined) {
      at = this.#current === undefined ? this.#readHeader(bytes, at, end) : this.#readData(this.#current, bytes, at, end);
    }
    return at;
  }

  /** What was read last ended with a whole chunk. */
  get betweenChunks(): boolean {
    return this.#current === undefined && this.#headerFilled === 0;
  }

  /** The message just completed, once. */
  take(): Message | undefined {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  /** Abort Message: forgets the incomplete message of a chunk stream. */
  abort(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || !stream.open) return;
    this.#stats.aborted++;
    this.#release(stream);
  }

  #readHeader(bytes: Uint8Array, at: number, end: number): number {
    if (this.#headerFilled === 0) {
      const length = this.#headerLength(bytes, at, end);
      if (length > 0) {
        this.#begin(bytes, at);
        return at + length;
      }
    }
    // At the seam of two reads the header is collected byte by byte; it has at most 18.
    while (at < end) {
      this.#header[this.#headerFilled++] = bytes[at++]!;
      if (this.#headerLength(this.#header, 0, this.#headerFilled) === 0) continue;
      this.#headerFilled = 0;
      this.#begin(this.#header, 0);
      break;
    }
    return at;
  }

  /** Bytes of the header that begins at `at`, 0 while that cannot be told or not all of it is there. */
  #headerLength(bytes: Uint8Array, at: number, end: number): number {
    const first = bytes[at]!;
    const basic = basicLength(first);
    if (at + basic > end) return 0;
    const fmt = first >> 6;
    const length = basic + messageHeaderBytes[fmt]!;
    if (at + length > end) return 0;
    const extended = fmt === 3 ? this.#streams.get(chunkStreamId(bytes, at))?.extended === true : read24(bytes, at + basic) === EXTENDED;
    if (!extended) return length;
    return at + length + 4 > end ? 0 : length + 4;
  }

  /** Takes in a complete header at `at`. */
  #begin(bytes: Uint8Array, at: number): void {
    this.#stats.receivedChunks++;
    const fmt = bytes[at]! >> 6;
    const id = chunkStreamId(bytes, at);
    const stream = this.#streams.get(id) ?? this.#newStream(id, fmt);
    if (stream === undefined) return;
    if (fmt !== 3) {
      if (stream.open) {
        this.#fail("header", `chunk stream ${id} begins a message inside another`);
        return;
      }
      readMessageHeader(stream, fmt, bytes, at + basicLength(bytes[at]!));
    }
    if (!stream.open) {
      stream.timestamp = fmt === 0 ? stream.delta : (stream.timestamp + stream.delta) >>> 0;
      if (!this.#openMessage(stream)) return;
    }
    this.#chunkLeft = Math.min(this.chunkBytes, stream.length - stream.filled);
    if (this.#chunkLeft === 0) this.#complete(stream);
    else this.#current = stream;
  }

  #newStream(id: number, fmt: number): ChunkStream | undefined {
    if (fmt > 1) this.#fail("header", `chunk stream ${id} begins with fmt ${fmt}`);
    else if (this.#streams.size >= this.#limits.chunkStreamsMax) {
      this.#stats.chunkStreamLimitHits++;
      this.#fail("streams", `more than ${this.#limits.chunkStreamsMax} chunk streams`);
    } else {
      const stream = new ChunkStream();
      this.#streams.set(id, stream);
      return stream;
    }
    return undefined;
  }

  /** Makes room for the beginning of a message. The announced length is not believed: memory grows as bytes arrive. */
  #openMessage(stream: ChunkStream): boolean {
    if (stream.length > this.#limits.messageBytesMax) {
      this.#stats.messageLimitHits++;
      this.#fail("length", `a message of ${stream.length} bytes; at most ${this.#limits.messageBytesMax} are taken`);
      return false;
    }
    stream.filled = 0;
    stream.open = true;
    return this.#grow(stream, Math.min(stream.length, FIRST_BYTES));
  }

  #grow(stream: ChunkStream, capacity: Bytes): boolean {
    const held = this.assemblyBytes + capacity - stream.payload.length;
    if (held > this.#limits.assemblyBytesMax) {
      this.#stats.assemblyLimitHits++;
      this.#fail("assembly", `incomplete messages of more than ${this.#limits.assemblyBytesMax} bytes`);
      return false;
    }
    this.assemblyBytes = held;
    if (held > this.#stats.assemblyBytesPeak) this.#stats.assemblyBytesPeak = held;
    const grown = this.#slab.take(capacity);
    if (stream.filled > 0) grown.set(stream.payload);
    stream.payload = grown;
    return true;
  }

  #readData(stream: ChunkStream, bytes: Uint8Array, at: number, end: number): number {
    const take = Math.min(this.#chunkLeft, end - at);
    const needed = stream.filled + take;
    if (needed > stream.payload.length && !this.#grow(stream, Math.min(stream.length, Math.max(needed, stream.payload.length * 4))))
      return at;
    const { payload, filled } = stream;
    if (take < 32) for (let i = 0; i < take; i++) payload[filled + i] = bytes[at + i]!;
    else payload.set(bytes.subarray(at, at + take), filled);
    stream.filled = needed;
    this.#chunkLeft -= take;
    if (this.#chunkLeft === 0) {
      this.#current = undefined;
      if (needed === stream.length) this.#complete(stream);
    }
    return at + take;
  }

  #complete(stream: ChunkStream): void {
    this.#stats.receivedMessages++;
    const { type, timestamp, streamId, payload } = stream;
    this.#message = { type, timestamp, streamId, payload };
    this.#release(stream);
  }

  #release(stream: ChunkStream): void {
    this.assemblyBytes -= stream.payload.length;
    stream.payload = nothing;
    stream.open = false;
  }

  #fail(what: string, message: string): void {
    this.failure ??= new ProtocolError(`rtmp.chunk.${what}`, message);
  }
}

/** What the headers of one chunk stream said last: each fmt but 0 leaves some of it out. */
class ChunkStream {
  timestamp = 0;
  /** What fmt 3 adds when it begins a message; after fmt 0 that is the timestamp itself (section 5.3.1.2.4). */
  delta = 0;
  extended = false;
  length: Bytes = 0;
  type = 0;
  streamId = 0;
  /** Inside a message. */
  open = false;
  payload: Uint8Array = nothing;
  filled: Bytes = 0;
}

/** Of either end, until it says otherwise. */
export const INITIAL_CHUNK_BYTES: Bytes = 128;
/** In place of a time that does not fit in 24 bits. */
export const EXTENDED = 0xffffff;
const HEADER_BYTES_MAX = 18;
const messageHeaderBytes = [11, 7, 3, 0] as const;
/** Room made for a message at its first chunk. */
const FIRST_BYTES: Bytes = 65_536;
const nothing = new Uint8Array(0);

function basicLength(first: number): number {
  const id = first & 0x3f;
  return id === 0 ? 2 : id === 1 ? 3 : 1;
}

function chunkStreamId(bytes: Uint8Array, at: number): number {
  const id = bytes[at]! & 0x3f;
  if (id === 0) return 64 + bytes[at + 1]!;
  return id === 1 ? 64 + bytes[at + 1]! + bytes[at + 2]! * 256 : id;
}

function readMessageHeader(stream: ChunkStream, fmt: number, bytes: Uint8Array, at: number): void {
  const time = read24(bytes, at);
  const length = messageHeaderBytes[fmt]!;
  stream.extended = time === EXTENDED;
  stream.delta = stream.extended ? bytes[at + length]! * 0x100_0000 + read24(bytes, at + length + 1) : time;
  if (fmt > 1) return;
  stream.length = read24(bytes, at + 3);
  stream.type = bytes[at + 6]!;
  if (fmt === 0) stream.streamId = (bytes[at + 7]! | (bytes[at + 8]! << 8) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 24)) >>> 0;
}

function read24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}
