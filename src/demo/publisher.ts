/**
 * An encoder for demonstrations: publishes a looped FLV clip by RTMP for as long as it is told to, and connects again when the connection breaks.
 *
 *   FlvLoop ─ tags, each when due ─▶ RtmpPublisher ─ chunks ─▶ TCP socket
 *
 * When the network is behind by more than the outbox holds, tags are dropped up to the next key frame, as encoders do.
 */
import { type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { Driver, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import type { FlvLoop } from "../media/flv/loop.ts";
import { VIDEO } from "../media/flv/tag.ts";
import { RtmpPublisher } from "../media/rtmp/publisher.ts";

export interface PublisherOptions {
  /** As `Loop.connect`, to the RTMP server. */
  readonly connect: (handler: TcpHandler) => TcpSocket;
  /** "rtmp://host:port/app", as the server is told. */
  readonly tcUrl: string;
  readonly app: string;
  readonly key: string;
  /** 1528 bytes of noise for the handshake. */
  readonly random: Uint8Array;
}

const RETRY_MS: Millis = 1000;

export class DemoPublisher implements Driver, TcpHandler {
  readonly #loop: Loop;
  readonly #clip: FlvLoop;
  readonly #options: PublisherOptions;
  readonly #log: Log;
  readonly #buffer = new Uint8Array(16_384);
  #rtmp: RtmpPublisher | undefined;
  #socket: TcpSocket | undefined;
  #connected = false;
  /** Bytes of #buffer not taken by the socket yet. */
  #start = 0;
  #end = 0;
  #retryAt: Millis = 0;
  #skipToKeyframe = false;
  #stopped = false;
  droppedTags = 0;
  connections = 0;

  constructor(loop: Loop, clip: FlvLoop, options: PublisherOptions, log: Log) {
    this.#loop = loop;
    this.#clip = clip;
    this.#options = options;
    this.#log = log;
    loop.drive(this);
  }

  advance(now: Millis): Millis {
    if (this.#stopped) return NEVER;
    if (this.#rtmp === undefined) {
      if (now < this.#retryAt) return this.#retryAt;
      this.#connect();
      return NEVER;
    }
    const rtmp = this.#rtmp;
    if (this.#connected) rtmp.advance(now);
    this.#events(now, rtmp);
    if (this.#rtmp !== rtmp) return this.#retryAt;
    if (rtmp.state === "publishing") this.#send(now, rtmp);
    this.#drain(rtmp);
    return Math.min(rtmp.state === "publishing" ? this.#clip.deadline() : NEVER, this.#connected ? rtmp.deadline() : NEVER);
  }

  /** Ends the stream in order. */
  stop(now: Millis): void {
    this.#stopped = true;
    if (this.#rtmp !== undefined) {
      this.#rtmp.close(now);
      this.#drain(this.#rtmp);
    }
    this.#socket?.close();
    this.#socket = undefined;
  }

  connected(_now: Millis): void {
    this.#connected = true;
    this.#loop.wake();
  }

  readable(now: Millis): void {
    for (;;) {
      const n = this.#socket?.read(this.#scratch, 0, this.#scratch.length) ?? 0;
      if (n === 0) return;
      if (n < 0) {
        this.#lost(now, "the server ended the connection");
        return;
      }
      this.#rtmp?.receive(now, this.#scratch, 0, n);
      this.#loop.wake();
    }
  }

  writable(_now: Millis): void {
    this.#loop.wake();
  }

  closed(now: Millis, code: string): void {
    this.#socket = undefined;
    this.#lost(now, code);
  }

  readonly #scratch = new Uint8Array(4096);

  #connect(): void {
    const { app, key, random, tcUrl, connect } = this.#options;
    this.connections++;
    this.#connected = false;
    this.#start = 0;
    this.#end = 0;
    this.#skipToKeyframe = false;
    this.#clip.restart();
    this.#rtmp = new RtmpPublisher({ random, app, key, tcUrl });
    this.#socket = connect(this);
  }

  #events(now: Millis, rtmp: RtmpPublisher): void {
    for (let event = rtmp.event(); event !== undefined; event = rtmp.event()) {
      if (event.kind === "accepted") this.#log.info({}, "demo publishes");
      else this.#lost(now, event.kind === "refused" ? `${event.code} ${event.description}` : event.error.message);
    }
  }

  #lost(now: Millis, reason: string): void {
    if (this.#rtmp === undefined) return;
    this.#log.warn({ reason }, "demo publisher lost its connection; it tries again");
    this.#socket?.close();
    this.#socket = undefined;
    this.#rtmp = undefined;
    this.#retryAt = now + RETRY_MS;
    this.#loop.wake();
  }

  #send(now: Millis, rtmp: RtmpPublisher): void {
    for (let tag = this.#clip.next(now); tag !== undefined; tag = this.#clip.next(now)) {
      if (this.#skipToKeyframe && tag.type === VIDEO && tag.keyframe) this.#skipToKeyframe = false;
      if (!this.#skipToKeyframe && rtmp.send(tag.type, tag.timestamp, tag.payload)) continue;
      this.#skipToKeyframe = true;
      this.droppedTags++;
    }
  }

  #drain(rtmp: RtmpPublisher): void {
    if (!this.#connected || this.#socket === undefined) return;
    for (;;) {
      if (this.#start === this.#end) {
        this.#start = 0;
        this.#end = rtmp.transmit(this.#buffer, 0, this.#buffer.length);
        if (this.#end === 0) return;
      }
      const taken = this.#socket.write(this.#buffer, this.#start, this.#end);
      this.#start += taken;
      if (this.#start < this.#end) return;
    }
  }
}
