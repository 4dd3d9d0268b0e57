/**
 * The byte-stream layers of a session above KCP: smux frames, in snappy chunks unless --nocomp (reference kcptun.md sections 6 and 7).
 *
 *   out:  smux frame → snappy chunk → KCP         in:  KCP → snappy chunk → smux frames
 *
 * A client knows its settings. A server looks at the first byte (and, with snappy, the first decoded byte) of the client's stream and
 * takes over what it finds, so that clients of every setting share a port.
 */
import type { ProtocolError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { Kcp } from "../kcp/kcp.ts";
import { CMD_NOP, putHeader, HEADER_BYTES as SMUX_HEADER_BYTES } from "../smux/frame.ts";
import { NOTHING, SmuxSession } from "../smux/session.ts";
import { SnappyDecoder } from "../snappy/decoder.ts";
import { SnappyEncoder } from "../snappy/encoder.ts";
import type { TunnelConfig } from "./config.ts";

/** What one snappy chunk holds. */
const SNAPPY_BYTES_MAX = 65_536;

/** Scratch space shared by all sessions of an endpoint: nothing in it outlives a call. */
export class Scratch {
  readonly inbound = new Uint8Array(65_536);
  /** A frame before it is compressed. */
  readonly frame = new Uint8Array(65_536 + SMUX_HEADER_BYTES);
  readonly frameView = new DataView(this.frame.buffer);
}

export class Layers {
  readonly smux: SmuxSession;
  readonly #encoder: SnappyEncoder | undefined;
  readonly #decoder: SnappyDecoder | undefined;
  readonly #kcp: Kcp;
  readonly #scratch: Scratch;
  readonly frameBytesMax: number;

  /** Room KCP's inlet needs for a frame of this size, compressed or not. */
  static inletBytes(framesize: number): number {
    return SnappyEncoder.encodedBytesMax(Math.min(framesize + SMUX_HEADER_BYTES, SNAPPY_BYTES_MAX));
  }

  constructor(role: "client" | "server", version: 1 | 2 | "any", compressed: boolean, config: TunnelConfig, kcp: Kcp, scratch: Scratch) {
    this.frameBytesMax = compressed ? Math.min(config.framesize, SNAPPY_BYTES_MAX - SMUX_HEADER_BYTES) : config.framesize;
    this.smux = new SmuxSession({
      role,
      version,
      keepaliveMs: config.keepalive * 1000,
      timeoutMs: 30_000,
      receiveBytes: config.smuxbuf,
      streamBytes: config.streambuf,
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

  get compressed(): boolean {
    return this.#encoder !== undefined;
  }

  get failure(): ProtocolError | undefined {
    return this.#decoder?.failed ?? this.smux.failure;
  }

  /** Where `read` of a socket puts payload so that the header fits before it. */
  static readonly payloadAt = SMUX_HEADER_BYTES;

  /** Where frames are composed; ask anew for each. Without compression that is KCP's own memory already. */
  get frame(): Uint8Array {
    return this.#encoder === undefined ? this.#kcp.inlet : this.#scratch.frame;
  }

  get #frameView(): DataView {
    return this.#encoder === undefined ? this.#kcp.inletView : this.#scratch.frameView;
  }

  /** Sends `n` payload bytes that lie in `frame` at `payloadAt`. Only while `kcp.writable`. */
  push(now: Millis, sid: number, n: number): void {
    this.#emit(now, this.smux.push(sid, this.frame, this.#frameView, 0, n));
  }

  /** Sends the next control frames, if there are any. Only while `kcp.writable`. */
  pushControl(now: Millis): boolean {
    const length = this.smux.transmit(now, this.frame, this.#frameView, 0, this.frameBytesMax);
    if (length === 0) return false;
    this.#emit(now, length);
    return true;
  }

  /** Sends a NOP beside those of the keep-alive. Only while `kcp.writable`. */
  ping(now: Millis): void {
    if (this.smux.version === 0) return;
    putHeader(this.#frameView, 0, this.smux.version, CMD_NOP, 0, 0);
    this.#emit(now, SMUX_HEADER_BYTES);
  }

  #emit(now: Millis, length: number): void {
    const kcp = this.#kcp;
    const end = this.#encoder === undefined ? length : this.#encoder.encode(this.#scratch.frame, 0, length, kcp.inlet, 0);
    kcp.send(now, kcp.inlet, 0, end);
  }

  /** Feeds received stream bytes; `sink` is told of every smux event while its piece is valid. */
  receive(now: Millis, bytes: Uint8Array, start: number, end: number, sink: SmuxSink): void {
    const decoder = this.#decoder;
    if (decoder === undefined) {
      this.#demultiplex(now, bytes, start, end, sink);
      return;
    }
    let at = start;
    while (at < end && decoder.failed === undefined) {
      at += decoder.receive(bytes, at, end);
      if (decoder.end > decoder.start) this.#demultiplex(now, decoder.bytes, decoder.start, decoder.end, sink);
    }
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
  /** `smux.event`, `eventSid`, `dataStart` and `dataEnd` say what happened; `bytes` is borrowed until the call returns. */
  smuxEvent(now: Millis, smux: SmuxSession, bytes: Uint8Array): void;
}
