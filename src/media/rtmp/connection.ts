/**
 * What both ends of an RTMP connection do alike: handshake, chunks both ways, and the control messages that concern the connection itself.
 *
 *   receive ─► handshake ─► chunk-reader ─► control messages (chunk size, abort, windows, pings): answered here
 *                                       └─► all others: `take`
 *   send ─► chunk-writer ─► outbox ─► transmit
 *
 * Source: Adobe RTMP 1.0 sections 5.4, 5.5, 6.2 and 7.1.7.
 */
import { ByteQueue } from "../../base/byte-queue.ts";
import { Reader } from "../../base/cursor.ts";
import { ProtocolError } from "../../base/errors.ts";
import type { Bytes, Millis } from "../../base/units.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { Handshake } from "./handshake.ts";
import { newStats, type RtmpLimits, type RtmpStats } from "./limits.ts";
import { CHUNK_BYTES_MAX, chunkStream, type Message, messageType, u32Payload, userControl, userControlPayload } from "./message.ts";

export class Connection {
  readonly stats: RtmpStats = newStats();
  readonly #limits: RtmpLimits;
  readonly #outbox: ByteQueue;
  readonly #handshake: Handshake;
  readonly #reader: ChunkReader;
  readonly #writer: ChunkWriter;
  #failure: ProtocolError | undefined;
  /** The peer wants an acknowledgement every so many bytes. */
  #windowBytes: Bytes = DEFAULT_WINDOW_BYTES;
  #acknowledgedBytes: Bytes = 0;
  /** The last window we announced because the peer limited us. */
  #announcedWindowBytes: Bytes = 0;

  /** `random`: 1528 bytes, kept. */
  constructor(role: "server" | "client", random: Uint8Array, limits: RtmpLimits) {
    this.#limits = limits;
    this.#outbox = new ByteQueue(limits.outboxBytesMax);
    this.#handshake = new Handshake(role, random, this.#outbox);
    this.#reader = new ChunkReader(limits, this.stats);
    this.#writer = new ChunkWriter(this.#outbox);
  }

  get handshakeDone(): boolean {
    return this.#handshake.done;
  }
  get failure(): ProtocolError | undefined {
    return this.#failure ?? this.#handshake.failure ?? this.#reader.failure;
  }
  get queuedBytes(): Bytes {
    return this.#outbox.length;
  }
  /** Memory held by incomplete messages. */
  get assemblyBytes(): Bytes {
    return this.#reader.assemblyBytes;
  }

  /** Reads bytes[at…end), borrowed, up to the end of one message or of the bytes; answers where it stopped. */
  receive(bytes: Uint8Array, at: number, end: number): number {
    const from = at;
    if (!this.#handshake.done) at = this.#handshake.receive(bytes, at, end);
    if (this.#handshake.done) at = this.#reader.read(bytes, at, end);
    this.stats.receivedBytes += at - from;
    return at;
  }

  /** The message just completed unless it was for the connection itself. */
  take(): Message | undefined {
    const message = this.#reader.take();
    return message === undefined || this.#control(message) ? undefined : message;
  }

  /** Acknowledges what was received if the window is used up. Once after each batch of bytes. */
  acknowledge(): void {
    if (this.stats.receivedBytes - this.#acknowledgedBytes < this.#windowBytes) return;
    this.#acknowledgedBytes = this.stats.receivedBytes;
    this.sendControl(messageType.acknowledgement, u32Payload(this.stats.receivedBytes));
  }

  /** Writes a message; with a full outbox the connection fails, for a peer that does not read its answers is of no use. */
  send(id: number, type: number, streamId: number, timestamp: Millis, payload: Uint8Array): void {
    if (this.#writer.write(id, type, streamId, timestamp, payload)) return;
    this.stats.outboxLimitHits++;
    this.fail("rtmp.outbox", `${this.#limits.outboxBytesMax} bytes wait for a peer that does not read`);
  }

  /** Writes media; false when the outbox has no room for the whole message. */
  sendMedia(id: number, type: number, streamId: number, timestamp: Millis, payload: Uint8Array): boolean {
    const sent = this.#writer.write(id, type, streamId, timestamp, payload, true);
    if (!sent) this.stats.outboxLimitHits++;
    return sent;
  }

  sendControl(type: number, payload: Uint8Array): void {
    this.send(chunkStream.control, type, 0, 0, payload);
  }

  sendChunkSize(chunkBytes: Bytes): void {
    this.sendControl(messageType.setChunkSize, u32Payload(chunkBytes));
    this.#writer.chunkBytes = chunkBytes;
  }

  /** Copies the next bytes to send into into[offset…limit); answers how many, 0 = drained. */
  transmit(into: Uint8Array, offset: number, limit: number): number {
    const n = this.#outbox.peek(into, offset, limit);
    this.#outbox.consume(n);
    return n;
  }

  fail(code: string, message: string): void {
    this.#failure ??= new ProtocolError(code, message);
  }

  /** True when the message was a control message. */
  #control(message: Message): boolean {
    const { type, payload } = message;
    if (type === 0 || type > messageType.setPeerBandwidth) return false;
    const reader = new Reader(payload);
    if (type === messageType.userControl) this.#userControl(reader);
    else {
      const value = reader.u32();
      if (reader.overrun) this.stats.damagedMessages++;
      else if (type === messageType.setChunkSize) this.#setChunkSize(value);
      else if (type === messageType.abort) this.#reader.abort(value);
      else if (type === messageType.windowAcknowledgementSize) this.#windowBytes = Math.max(value, WINDOW_BYTES_MIN);
      else if (type === messageType.setPeerBandwidth && value !== this.#announcedWindowBytes) this.#announceWindow(value);
    }
    return true;
  }

  #setChunkSize(value: number): void {
    if (value < 1 || value >= 2 ** 31) this.fail("rtmp.chunk.size", `a chunk size of ${value}; 1…2147483647 are allowed`);
    else this.#reader.chunkBytes = Math.min(value, CHUNK_BYTES_MAX);
  }

  #userControl(reader: Reader): void {
    const event = reader.u16();
    const value = reader.u32();
    // Longer and shorter events of other kinds are for players.
    if (reader.overrun) this.stats.damagedMessages++;
    else if (event === userControl.pingRequest)
      this.sendControl(messageType.userControl, userControlPayload(userControl.pingResponse, value));
  }

  #announceWindow(windowBytes: Bytes): void {
    this.#announcedWindowBytes = windowBytes;
    this.sendControl(messageType.windowAcknowledgementSize, u32Payload(windowBytes));
  }
}

const DEFAULT_WINDOW_BYTES: Bytes = 2_500_000;
/** A peer that asks for an acknowledgement of every byte gets one every so many. */
const WINDOW_BYTES_MIN: Bytes = 4096;
