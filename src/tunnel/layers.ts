/**
 * The byte-stream layers of a session above KCP: smux frames, in snappy chunks unless --nocomp (reference kcptun.md sections 6 and 7).
 *
 *   out:  smux frame → snappy chunk → KCP         in:  KCP → snappy chunk → smux frames
 *
 * A client knows its settings. A server looks at the first byte (and, with snappy, the first decoded byte) of the client's stream and
 * takes over what it finds, so that clients of every setting share a port.
 */

import type { ProtocolError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import type { Kcp } from "../kcp/kcp.ts";
import { CMD_NOP, putHeader, HEADER_BYTES as SMUX_HEADER_BYTES } from "../smux/frame.ts";
import { NOTHING, SmuxSession } from "../smux/session.ts";
import { SnappyDecoder } from "../snappy/decoder.ts";
import { SnappyEncoder } from "../snappy/encoder.ts";
import type { TunnelConfig } from "./config.ts";
import { SPAN_BYTES } from "./frame-span.ts";
import type { Scratch } from "./scratch.ts";
import { NOTHING_NOW, SHUT, type Stream } from "./stream.ts";

/** Tuning: with mode auto a frame of one stream is no longer than that, so that another one's may follow soon. */
const AUTO_FRAME_BYTES: Bytes = 4096;
/** Tuning: so much is read at once even where there is room for less, so that little room does not mean reading byte by byte. */
export const INBOUND_BYTES_MIN: Bytes = 2048;

// Spec
/** What one snappy chunk holds. */
const SNAPPY_BYTES_MAX = 65_536;
/** What a byte of a chunk becomes at most: a copy of 64 bytes takes 3. */
const SNAPPY_EXPANSION_MAX = 22;

/** Received payload that may come beyond what the session's budget has room for: what one read brings, and the chunk that was begun before it. */
export const OVERSHOOT_BYTES: Bytes = INBOUND_BYTES_MIN * SNAPPY_EXPANSION_MAX + SNAPPY_BYTES_MAX;

export class Layers {
  readonly smux: SmuxSession;
  readonly #encoder: SnappyEncoder | undefined;
  readonly #decoder: SnappyDecoder | undefined;
  readonly #kcp: Kcp;
  readonly #scratch: Scratch;
  readonly frameBytesMax: Bytes;

  constructor(role: "client" | "server", version: 1 | 2 | "any", compressed: boolean, config: TunnelConfig, kcp: Kcp, scratch: Scratch) {
    const framesize = config.mode === "auto" ? Math.min(config.framesize, AUTO_FRAME_BYTES) : config.framesize;
    this.frameBytesMax = compressed ? Math.min(framesize, SNAPPY_BYTES_MAX - SMUX_HEADER_BYTES) : framesize;
    this.smux = new SmuxSession({
      role,
      version,
      keepaliveMs: config.keepalive * 1000,
      timeoutMs: 30_000,
      receiveBytes: config.smuxbuf,
      streamBytes: config.streambuf,
      spillBytes: config.spill,
      stallMs: config.stallwait * 1000,
      frameBytes: this.frameBytesMax,
      streamsMax: config.streams,
    });
    if (compressed) {
      this.#encoder = new SnappyEncoder();
      this.#decoder = new SnappyDecoder();
    }
    this.#kcp = kcp;
    this.#scratch = scratch;
  }

  /** Little is said: gives back room that was made for bursts. */
  rest(): void {
    this.#decoder?.rest();
  }

  get compressed(): boolean {
    return this.#encoder !== undefined;
  }

  get failure(): ProtocolError | undefined {
    return this.#decoder?.failed ?? this.smux.failure;
  }

  /**
   * Sends what the stream's socket has: a frame, or, without compression, as many as KCP has room for, divided by the `sharers` that
   * want to send. Answers the payload bytes, NOTHING_NOW, ENDED, or SHUT when the peer takes nothing of it now. Only while `kcp.writable`.
   */
  pull(now: Millis, stream: Stream, sharers: number): number {
    return this.#encoder === undefined ? this.#pullSpan(now, stream, sharers) : this.#pullFrame(now, stream);
  }

  #pullFrame(now: Millis, stream: Stream): number {
    const { frame, framePayload } = this.#scratch;
    const allowance = this.smux.allowance(stream.sid);
    if (allowance === 0) return SHUT;
    framePayload.clear();
    framePayload.bytes = frame.bytes;
    framePayload.add(frame.at + SMUX_HEADER_BYTES, frame.at + SMUX_HEADER_BYTES + allowance);
    const n = stream.pull(now, framePayload);
    if (n > 0) this.#emit(now, this.smux.push(stream.sid, frame.view, frame.at, n));
    return n;
  }

  #pullSpan(now: Millis, stream: Stream, sharers: number): number {
    if (!stream.mayHaveBytes) return NOTHING_NOW;
    const kcp = this.#kcp;
    const { span } = this.#scratch;
    const most = Math.min(SPAN_BYTES / sharers, kcp.room * kcp.mss);
    const allowance = this.smux.allowance(stream.sid, Math.max(1, Math.floor(most / this.frameBytesMax)));
    if (allowance === 0) return SHUT;
    span.lay(now, kcp, this.frameBytesMax, allowance);
    const n = stream.pull(now, span.payload);
    span.finish(kcp, this.smux, stream.sid, Math.max(n, 0));
    span.clear();
    return n;
  }

  /** Sends the next control frames, if there are any. Only while `kcp.writable`. */
  pushControl(now: Millis): boolean {
    const { bytes, view, at } = this.#scratch.frame;
    const length = this.smux.transmit(now, bytes, view, at, at + this.frameBytesMax);
    if (length === 0) return false;
    this.#emit(now, length);
    return true;
  }

  /** Sends a NOP beside those of the keep-alive. Only while `kcp.writable`. */
  ping(now: Millis): void {
    if (this.smux.version === 0) return;
    const { view, at } = this.#scratch.frame;
    putHeader(view, at, this.smux.version, CMD_NOP, 0, 0);
    this.#emit(now, SMUX_HEADER_BYTES);
  }

  /** Sends the first `length` bytes of the frame in the scratch space. */
  #emit(now: Millis, length: number): void {
    const { frame, chunk } = this.#scratch;
    const end = frame.at + length;
    if (this.#encoder === undefined) this.#kcp.send(now, frame.bytes, frame.at, end);
    else {
      const bytes = this.#encoder.encode(frame.bytes, frame.at, end, chunk.bytes, chunk.at);
      this.#kcp.send(now, chunk.bytes, chunk.at, chunk.at + bytes);
    }
  }

  /** Bytes of the stream to read into the scratch space and give to `receive` now; no more than OVERSHOOT_BYTES come of them beyond what smux has room for. */
  get inboundBytes(): Bytes {
    const room = this.smux.receiveRoom;
    if (room <= 0) return 0;
    const { inbound } = this.#scratch;
    const most = this.compressed ? Math.floor(room / SNAPPY_EXPANSION_MAX) : room;
    return Math.min(inbound.end - inbound.at, Math.max(INBOUND_BYTES_MIN, most));
  }

  /** Feeds received stream bytes; `sink` is told of every smux event, and when what the events pointed at is valid no more. */
  receive(now: Millis, bytes: Uint8Array, start: number, end: number, sink: SmuxSink): void {
    const decoder = this.#decoder;
    if (decoder === undefined) {
      this.#demultiplex(now, bytes, start, end, sink);
      sink.smuxSettle(now);
      return;
    }
    let at = start;
    while (at < end && decoder.failed === undefined) {
      at += decoder.receive(bytes, at, end);
      if (decoder.end === decoder.start) continue;
      // What is not part of the input is overwritten by the next chunk.
      const passing = decoder.bytes !== bytes;
      if (passing) sink.smuxSettle(now);
      this.#demultiplex(now, decoder.bytes, decoder.start, decoder.end, sink);
      if (passing) sink.smuxSettle(now);
    }
    sink.smuxSettle(now);
  }

  #demultiplex(now: Millis, bytes: Uint8Array, start: number, end: number, sink: SmuxSink): void {
    const { smux } = this;
    let at = start;
    while (at < end && smux.failure === undefined) {
      at += smux.receive(now, bytes, at, end);
      if (smux.event !== NOTHING) sink.smuxEvent(now, smux, bytes);
    }
  }
}

export interface SmuxSink {
  /** `smux.event`, `eventSid`, `dataStart` and `dataEnd` say what happened; `bytes` is borrowed until `smuxSettle`. */
  smuxEvent(now: Millis, smux: SmuxSession, bytes: Uint8Array): void;
  /** What the events so far pointed at is about to be overwritten. */
  smuxSettle(now: Millis): void;
}
