/**
 * What the tunnel takes for an encoder's TCP connection, and is one behind a relay that keeps what is sent fresh (media/rtmp/relay.ts).
 *
 *   encoder ─ readable ─▶ relay: frames wait here, for `delayMax` at most ─ read ─▶ tunnel, when it has room
 *   encoder ◀────────── notice: which rate would fit ◀──── write ◀──────────────── tunnel
 *
 * The encoder is always read: its own buffer, which knows no frames, stays empty.
 */
import { ByteQueue } from "../base/byte-queue.ts";
import type { Pieces } from "../base/pieces.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { readEach, writeEach } from "../host/scatter.ts";
import { defaultLimits } from "../media/rtmp/limits.ts";
import { RtmpRelay } from "../media/rtmp/relay.ts";
import type { ChannelCounters } from "./channel-counters.ts";

/** Tuning: the encoder, and the log, are told so often while frames are left out; and that all is well again after so long. */
const NOTICE_MS: Millis = 5000;
const WELL_MS: Millis = 10_000;
/** The server was in the midst of a chunk. */
const RETRY_MS: Millis = 20;
/** Of what the link took. */
const FITTING_SHARE = 0.85;
const NOTICES_BYTES_MAX: Bytes = 16_384;

export interface RtmpFilterParts {
  readonly delayMax: Millis;
  readonly counters: ChannelCounters;
  readonly log: Log;
  /** Lent for the length of a call. */
  readonly scratch: Uint8Array;
}

export class RtmpFilter implements TcpSocket, TcpHandler {
  readonly #parts: RtmpFilterParts;
  readonly #encoder: TcpSocket;
  readonly #relay: RtmpRelay;
  #stream: TcpHandler | undefined;
  #now: Millis;
  /** Of ours for the encoder. */
  readonly #notices = new ByteQueue(NOTICES_BYTES_MAX);
  #ended = false;
  /** The stream was answered that there is nothing to read, or not all room to write. */
  #readWaits = true;
  #writeWaits = false;
  #open = true;
  #counted = { videoDropped: 0, keysDropped: 0, tailsDropped: 0, audioDropped: 0, droppedBytes: 0, limitHits: 0 };
  /** Of frames: left out when the last notice was made, and when the last one was. */
  #told = 0;
  #noticeAt: Millis = 0;
  #lastDropAt: Millis = Number.NEGATIVE_INFINITY;
  #unwell = false;

  constructor(now: Millis, encoder: TcpSocket, parts: RtmpFilterParts) {
    this.#now = now;
    this.#encoder = encoder;
    this.#parts = parts;
    this.#relay = new RtmpRelay(defaultLimits, parts.delayMax);
    parts.counters.rtmpConnections++;
  }

  /** The stream of the tunnel that it is joined to. */
  attach(stream: TcpHandler): void {
    this.#stream = stream;
  }

  get open(): boolean {
    return this.#open;
  }

  get remote(): string {
    return this.#encoder.remote;
  }

  get local(): string {
    return this.#encoder.local ?? "";
  }

  /** Bytes a second that would fit, 0 while all does. */
  get fits(): Bytes {
    return this.#unwell ? this.#relay.queue.linkRate * FITTING_SHARE * 1000 : 0;
  }

  /** Once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    this.#now = now;
    const { queue } = this.#relay;
    queue.advance(now);
    this.#count();
    this.#judge(now);
    this.#flush();
    return Math.min(queue.deadline(), this.#unwell ? Math.max(this.#noticeAt, now + RETRY_MS) : NEVER);
  }

  connected(now: Millis): void {
    this.#stream?.connected(now);
  }

  readable(now: Millis): void {
    this.#now = now;
    const { scratch } = this.#parts;
    const relay = this.#relay;
    for (let n = -1; this.#open && n !== 0 && !this.#ended; ) {
      n = this.#encoder.read(scratch, 0, scratch.length);
      if (n > 0) relay.receive(now, scratch, 0, n);
      else if (n < 0) this.#ended = true;
      if (relay.failure === undefined) continue;
      const { message } = relay.failure;
      this.#parts.log.warn({ from: this.remote, reason: message }, "an encoder's connection cannot be read as RTMP; it is ended");
      this.reset();
      this.#stream?.closed(now, "EPROTO");
    }
    this.#count();
    if (!this.#readWaits || !(relay.ready || this.#ended)) return;
    this.#readWaits = false;
    this.#stream?.readable(now);
  }

  writable(now: Millis): void {
    this.#now = now;
    this.#flush();
    if (!this.#writeWaits || this.#notices.length > 0) return;
    this.#writeWaits = false;
    this.#stream?.writable(now);
  }

  closed(now: Millis, code: string): void {
    this.#open = false;
    this.#stream?.closed(now, code);
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    const n = this.#relay.transmit(this.#now, bytes, offset, limit);
    this.#count();
    if (n > 0) return n;
    if (this.#ended) return -1;
    this.#readWaits = true;
    return 0;
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    this.#flush();
    const n = this.#notices.length > 0 ? 0 : this.#encoder.write(bytes, offset, end);
    this.#relay.back(bytes, offset, offset + n);
    if (n < end - offset) this.#writeWaits = true;
    return n;
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }

  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    this.#encoder.shutdown();
  }

  close(): void {
    this.#open = false;
    this.#encoder.close();
  }

  reset(reason?: string): void {
    this.#open = false;
    this.#encoder.reset(reason);
  }

  /** Notices that wait go to the encoder. */
  #flush(): void {
    const notices = this.#notices;
    while (this.#open && notices.length > 0) {
      const n = this.#encoder.write(notices.bytes, notices.start, notices.end);
      if (n === 0) return;
      notices.consume(n);
    }
  }

  #judge(now: Millis): void {
    const { stats } = this.#relay.queue;
    const dropped = stats.videoDropped + stats.audioDropped;
    if (dropped > this.#told && now >= this.#noticeAt) {
      if (!this.#tellTooMuch(now, dropped - this.#told)) return;
      this.#told = dropped;
      this.#unwell = true;
      this.#noticeAt = now + NOTICE_MS;
    } else if (this.#unwell && now - this.#lastDropAt >= WELL_MS && this.#relay.mayNotice) {
      this.#unwell = false;
      this.#notice("status", "NetStream.Publish.SufficientBW", "the link carries all of it again", {});
      this.#parts.log.info({ from: this.remote }, "the link carries all of an encoder's stream again");
    } else if (now >= this.#noticeAt) this.#noticeAt = now + NOTICE_MS;
  }

  /** False when a chunk is half sent: a moment later. */
  #tellTooMuch(now: Millis, frames: number): boolean {
    const relay = this.#relay;
    if (!relay.mayNotice) return false;
    const { linkRate, inRate } = relay.queue;
    const kbits = (rate: number): number => Math.round(rate * 8);
    const fits = kbits(linkRate * FITTING_SHARE);
    const facts = { from: this.remote, frames, linkKbits: kbits(linkRate), encoderKbits: kbits(inRate), fitsKbits: fits };
    this.#parts.log.warn(facts, "frames were left out: the link carries less than the encoder sends");
    const advice = fits > 0 ? `: at ${fits} kbit/s, sound included, all would arrive` : "";
    this.#notice("warning", "NetStream.Publish.InsufficientBW", `${frames} frames were left out, the link is too slow${advice}`, {
      fits: fits * 1000,
      link: kbits(linkRate) * 1000,
    });
    this.#parts.counters.rtmpNotices++;
    this.#lastDropAt = now;
    return true;
  }

  #notice(level: "status" | "warning", code: string, description: string, more: Readonly<Record<string, number>>): void {
    const bytes = this.#relay.notice(level, code, description, more);
    this.#notices.push(bytes, 0, bytes.length);
  }

  #count(): void {
    const { stats } = this.#relay.queue;
    const { counters } = this.#parts;
    const before = this.#counted;
    const frames = stats.videoDropped + stats.audioDropped;
    if (frames === before.videoDropped + before.audioDropped && stats.limitHits === before.limitHits) return;
    this.#lastDropAt = this.#now;
    counters.rtmpVideoDropped += stats.videoDropped - before.videoDropped;
    counters.rtmpTailsDropped += stats.tailsDropped - before.tailsDropped;
    counters.rtmpAudioDropped += stats.audioDropped - before.audioDropped;
    counters.rtmpBytesDropped += stats.droppedBytes - before.droppedBytes;
    counters.rtmpQueueFull += stats.limitHits - before.limitHits;
    this.#counted = { ...stats };
  }
}
