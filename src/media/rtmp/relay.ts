/**
 * Between a publisher and a server whose link may be too slow: all that they say passes, but for frames that would come too late (live-queue.ts).
 *
 *   publisher ─ receive ─▶ handshake ──────────────────────────▶ transmit ─▶ server
 *                      └─▶ chunk-reader ─▶ LiveQueue ─▶ chunk-writer ─┘
 *   publisher ◀────────── as it is; between two chunks, `notice` ◀──────── back ◀─ server
 *
 * Neither end is told of it: handshake, commands and keys are theirs. The server's bytes are passed on by the caller; this follows them, so that a notice of ours,
 * on a chunk stream that nobody else uses, comes between two chunks.
 *
 * Source: Adobe RTMP 1.0 sections 5.2 to 5.4. Deviation: chunk stream ids towards the server are this relay's, one for each kind of message.
 */
import { ByteQueue } from "../../base/byte-queue.ts";
import type { ProtocolError } from "../../base/errors.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import { amf0Object } from "./amf0.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { commandPayload } from "./command.ts";
import { newStats, type RtmpLimits } from "./limits.ts";
import { LiveQueue } from "./live-queue.ts";
import { CHUNK_BYTES_MAX, chunkStream, type Message, messageType } from "./message.ts";

/** Version and two packets, in each direction. */
const HANDSHAKE_BYTES: Bytes = 1 + 1536 + 1536;
const VERSION = 3;
/** Nobody uses it. */
const NOTICE_STREAM = 63;
const NOTICE_BYTES_MAX: Bytes = 4096;
/** What waits beyond frames. */
const QUEUE_BYTES_MAX: Bytes = 64 * 1024 * 1024;

export class RtmpRelay {
  readonly queue: LiveQueue;
  readonly stats = newStats();
  /** The publisher does not speak plain RTMP: everything passes, nothing is understood. */
  opaque = false;
  readonly #up: ChunkReader;
  readonly #writer: ChunkWriter;
  /** Towards the server: the handshake, or one message. */
  readonly #outbox: ByteQueue;
  #handshakeLeft = HANDSHAKE_BYTES;
  readonly #down: ChunkReader;
  #downHandshakeLeft = HANDSHAKE_BYTES;
  /** The stream that is published. */
  #streamId = 0;

  constructor(limits: RtmpLimits, delayMax: Millis) {
    this.queue = new LiveQueue(delayMax, limits.eventBytesMax);
    this.#outbox = new ByteQueue(QUEUE_BYTES_MAX);
    this.#up = new ChunkReader(limits, this.stats);
    this.#down = new ChunkReader(limits, newStats());
    this.#writer = new ChunkWriter(this.#outbox);
  }

  /** The publisher's chunks cannot be read: the connection is of no use. */
  get failure(): ProtocolError | undefined {
    return this.#up.failure;
  }

  /** `transmit` would write something. */
  get ready(): boolean {
    return this.#outbox.length > 0 || this.queue.length > 0;
  }

  /** Of the publisher, borrowed. */
  receive(now: Millis, bytes: Uint8Array, at: number, end: number): void {
    if (this.#handshakeLeft === HANDSHAKE_BYTES && at < end) this.opaque = bytes[at] !== VERSION;
    const raw = this.opaque ? end : Math.min(end, at + this.#handshakeLeft);
    this.#outbox.push(bytes, at, raw);
    this.#handshakeLeft -= Math.min(this.#handshakeLeft, raw - at);
    for (let next = raw; next < end && this.failure === undefined; ) {
      next = this.#up.read(bytes, next, end);
      const message = this.#up.take();
      if (message !== undefined) this.#take(now, message);
    }
  }

  /** Writes to into[offset…limit) what the server is to have next; answers how many bytes, 0: nothing for now. */
  transmit(now: Millis, into: Uint8Array, offset: number, limit: number): Bytes {
    let at = offset;
    while (at < limit) {
      if (this.#outbox.length === 0 && !this.#write(now)) break;
      const n = this.#outbox.peek(into, at, limit);
      this.#outbox.consume(n);
      at += n;
    }
    if (at > offset) this.queue.sent(now, at - offset);
    return at - offset;
  }

  /** The server's bytes[at…end) were passed on. */
  back(bytes: Uint8Array, at: number, end: number): void {
    const shaken = Math.min(end, at + this.#downHandshakeLeft);
    this.#downHandshakeLeft -= shaken - at;
    if (this.opaque) return;
    for (let next = shaken; next < end && this.#down.failure === undefined; ) {
      next = this.#down.read(bytes, next, end);
      const message = this.#down.take();
      if (message !== undefined) follow(this.#down, message);
    }
  }

  /** A notice can be put behind what was passed on last. */
  get mayNotice(): boolean {
    return this.#streamId > 0 && this.#downHandshakeLeft === 0 && this.#down.failure === undefined && this.#down.betweenChunks;
  }

  /** An onStatus message of ours for the publisher, in chunks, while `mayNotice`. */
  notice(level: "status" | "warning", code: string, description: string, more: Readonly<Record<string, number>>): Uint8Array {
    const outbox = new ByteQueue(NOTICE_BYTES_MAX);
    const writer = new ChunkWriter(outbox);
    writer.chunkBytes = this.#down.chunkBytes;
    const payload = commandPayload("onStatus", 0, null, amf0Object({ level, code, description, ...more }));
    writer.write(NOTICE_STREAM, messageType.command, this.#streamId, 0, payload);
    const bytes = new Uint8Array(outbox.length);
    outbox.peek(bytes, 0, bytes.length);
    return bytes;
  }

  #take(now: Millis, message: Message): void {
    follow(this.#up, message);
    if (message.type === messageType.abort) return;
    if (message.type === messageType.video || message.type === messageType.audio) this.#streamId = message.streamId;
    this.queue.push(now, message);
  }

  #write(now: Millis): boolean {
    const message = this.queue.shift(now);
    if (message === undefined) return false;
    const { type, streamId, timestamp, payload } = message;
    this.#writer.write(
      STREAMS[type] ?? chunkStream.data,
      type,
      streamId,
      timestamp,
      payload,
      type === messageType.video || type === messageType.audio,
    );
    if (type === messageType.setChunkSize) this.#writer.chunkBytes = chunkBytesOf(payload) ?? this.#writer.chunkBytes;
    return true;
  }
}

/** What a message says about the chunks behind it. */
function follow(reader: ChunkReader, { type, payload }: Message): void {
  if (payload.length < 4) return;
  if (type === messageType.setChunkSize) reader.chunkBytes = chunkBytesOf(payload) ?? reader.chunkBytes;
  else if (type === messageType.abort) reader.abort(new DataView(payload.buffer, payload.byteOffset).getUint32(0));
}

function chunkBytesOf(payload: Uint8Array): Bytes | undefined {
  const value = payload.length < 4 ? 0 : new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  return value < 1 || value >= 2 ** 31 ? undefined : Math.min(value, CHUNK_BYTES_MAX);
}

const { setChunkSize, acknowledgement, userControl, windowAcknowledgementSize, setPeerBandwidth, audio, video, command, commandAmf3 } =
  messageType;
const STREAMS: Readonly<Record<number, number>> = {
  ...{ [setChunkSize]: 2, [acknowledgement]: 2, [userControl]: 2, [windowAcknowledgementSize]: 2, [setPeerBandwidth]: 2 },
  ...{ [command]: chunkStream.command, [commandAmf3]: chunkStream.command, [audio]: chunkStream.audio, [video]: chunkStream.video },
};
