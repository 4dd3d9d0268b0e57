/**
 * Cuts messages into chunks (wire: chunk-reader.ts).
 *
 * Media are written with the shortest header that says all; everything else with the full one, which every peer understands. A message that
 * repeats the last one's delta right after a full header, or with an extended timestamp, is not shortened to fmt 3: peers disagree on both.
 */
import type { ByteQueue } from "../../base/byte-queue.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import { EXTENDED, INITIAL_CHUNK_BYTES } from "./chunk-reader.ts";

export class ChunkWriter {
  /** Announce a change with Set Chunk Size first. */
  chunkBytes: Bytes = INITIAL_CHUNK_BYTES;
  readonly #outbox: ByteQueue;
  /** Indexed by chunk stream id. */
  readonly #streams: (SentStream | undefined)[] = [];
  readonly #header = new Uint8Array(16);

  constructor(outbox: ByteQueue) {
    this.#outbox = outbox;
  }

  /**
   * Writes a message on a chunk stream 2…63; false, and nothing written, when the outbox has no room for it. The payload is copied.
   * `timestamp`: 0…2^32−1.
   */
  write(id: number, type: number, streamId: number, timestamp: Millis, payload: Uint8Array, shorten = false): boolean {
    const stream = this.#stream(id);
    const fmt = shorten ? stream.fmt(type, streamId, timestamp, payload.length) : 0;
    const time = fmt === 0 ? timestamp : timestamp - stream.timestamp;
    const extended = time >= EXTENDED;
    const chunks = Math.max(1, Math.ceil(payload.length / this.chunkBytes));
    const total = messageHeaderBytes[fmt]! + chunks + (extended ? chunks * 4 : 0) + payload.length;
    if (total > this.#outbox.bytesMax - this.#outbox.length) return false;

    stream.sent(fmt, type, streamId, timestamp, payload.length, time);
    this.#pushHeader(id, fmt, stream, time, extended);
    for (let at = 0; ; ) {
      const end = Math.min(at + this.chunkBytes, payload.length);
      this.#outbox.push(payload, at, end);
      at = end;
      if (at >= payload.length) return true;
      this.#pushHeader(id, 3, stream, time, extended);
    }
  }

  #stream(id: number): SentStream {
    const stream = this.#streams[id] ?? new SentStream();
    this.#streams[id] = stream;
    return stream;
  }

  #pushHeader(id: number, fmt: number, stream: SentStream, time: Millis, extended: boolean): void {
    const header = this.#header;
    header[0] = (fmt << 6) | id;
    if (fmt < 3) put24(header, 1, extended ? EXTENDED : time);
    if (fmt < 2) {
      put24(header, 4, stream.length);
      header[7] = stream.type;
    }
    if (fmt === 0) for (let i = 0; i < 4; i++) header[8 + i] = stream.streamId >>> (8 * i);
    let length = 1 + messageHeaderBytes[fmt]!;
    if (extended) {
      header[length] = time >>> 24;
      put24(header, length + 1, time);
      length += 4;
    }
    this.#outbox.push(header, 0, length);
  }
}

/** What the peer knows of a chunk stream of ours. */
class SentStream {
  timestamp = -1;
  delta = -1;
  type = 0;
  streamId = 0;
  length: Bytes = 0;

  /** The shortest header for a message. */
  fmt(type: number, streamId: number, timestamp: Millis, length: Bytes): number {
    const delta = timestamp - this.timestamp;
    if (this.timestamp < 0 || streamId !== this.streamId || delta < 0) return 0;
    if (type !== this.type || length !== this.length) return 1;
    return delta === this.delta && delta < EXTENDED ? 3 : 2;
  }

  sent(fmt: number, type: number, streamId: number, timestamp: Millis, length: Bytes, time: Millis): void {
    this.timestamp = timestamp;
    this.delta = fmt === 0 ? -1 : time;
    this.type = type;
    this.streamId = streamId;
    this.length = length;
  }
}

const messageHeaderBytes = [11, 7, 3, 0] as const;

function put24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}
