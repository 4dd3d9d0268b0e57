/**
 * One connection through the tunnel: a TCP socket joined to a smux stream.
 *
 *   socket → (when KCP has room) read straight into a smux frame → KCP        no bytes are kept: the kernel's buffer is the queue
 *   KCP → smux piece → socket; what it does not take waits in `#backlog`      bounded by the windows of smux
 *
 * Half close is real: each direction ends by itself. Peers that close both at once (kcptun) leave a half that idles;
 * it is closed after `closewait` seconds without a byte.
 */
import { ByteQueue } from "../base/byte-queue.ts";
import type { Millis } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import type { Qpp } from "../qpp/qpp.ts";

/** What a stream asks of its session. */
export interface StreamOwner {
  /** The stream can send again, or has ended a direction. */
  streamReady(stream: Stream): void;
  /** `n` received bytes were taken by the socket. */
  streamConsumed(now: Millis, stream: Stream, n: number): void;
  /** The socket broke: the peer must be told. */
  streamBroken(now: Millis, stream: Stream, code: string): void;
}

/** Answers of `Stream.pull` besides a count of bytes. */
export const NOTHING_NOW = 0;
export const ENDED = -1;

export class Stream implements TcpHandler {
  readonly sid: number;
  readonly openedAt: Millis;
  /** In the session's queue of streams that may have bytes to send. */
  queued = false;
  /** We sent FIN. */
  localEnded = false;
  /** The peer sent FIN. */
  remoteEnded = false;
  /** Last byte in either direction. */
  lastActive: Millis;
  sentBytes = 0;
  receivedBytes = 0;
  readonly #owner: StreamOwner;
  readonly #backlog: ByteQueue;
  #socket: TcpSocket | undefined;
  #connected = false;
  #readable = false;
  #shutdown = false;
  /** Sent to the socket before anything of the peer. */
  #preface: Uint8Array | undefined;

  readonly #qpp: Qpp | undefined;

  constructor(sid: number, now: Millis, owner: StreamOwner, backlogBytesMax: number, qpp?: Qpp) {
    this.#qpp = qpp;
    this.sid = sid;
    this.openedAt = now;
    this.lastActive = now;
    this.#owner = owner;
    this.#backlog = new ByteQueue(backlogBytesMax);
  }

  /** Joins the socket; `connected` tells whether it is established already. `preface`, for one that is not, goes before all that the peer sends. */
  attach(socket: TcpSocket, connected: boolean, preface?: Uint8Array): void {
    this.#socket = socket;
    this.#preface = preface;
    this.#connected = connected;
    if (connected) this.#becomeReadable();
  }

  /** The application at the near end, the target at the far one; empty once it has gone. */
  get remote(): string {
    return this.#socket?.remote ?? "";
  }

  get backlogBytes(): number {
    return this.#backlog.length;
  }

  /** Reads what the socket has into bytes[offset…limit): count, NOTHING_NOW or ENDED. */
  pull(now: Millis, bytes: Uint8Array, offset: number, limit: number): number {
    if (!this.#readable || this.#socket === undefined) return NOTHING_NOW;
    const n = this.#socket.read(bytes, offset, limit);
    if (n === 0) this.#readable = false;
    else if (n < 0) this.localEnded = true;
    else {
      this.#qpp?.encrypt(bytes, offset, offset + n);
      this.sentBytes += n;
      this.lastActive = now;
    }
    return n < 0 ? ENDED : n;
  }

  /** Takes received bytes, which QPP decrypts where they lie; false when the peer sent more than it was allowed to. */
  deliver(now: Millis, bytes: Uint8Array, start: number, end: number): boolean {
    this.lastActive = now;
    this.receivedBytes += end - start;
    let at = start;
    this.#qpp?.decrypt(bytes, start, end);
    if (this.#connected && this.#backlog.length === 0 && this.#preface === undefined && this.#socket !== undefined) {
      at += this.#socket.write(bytes, start, end);
      if (at > start) this.#owner.streamConsumed(now, this, at - start);
    }
    return at === end || this.#backlog.push(bytes, at, end);
  }

  /** The peer ended its direction: FIN follows what is still waiting. */
  finish(now: Millis): void {
    this.remoteEnded = true;
    this.lastActive = now;
    this.#drain(now);
  }

  /** Ends the connection in order, discarding nothing that the socket has taken. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#readable = false;
    this.#backlog.clear();
  }

  /** Both directions have ended and everything received was handed on. */
  get done(): boolean {
    return this.localEnded && this.#shutdown;
  }

  reset(): void {
    this.#socket?.reset();
    this.#socket = undefined;
    this.#readable = false;
    this.#backlog.clear();
  }

  connected(now: Millis): void {
    this.#connected = true;
    this.#becomeReadable();
    this.#drain(now);
  }

  readable(_now: Millis): void {
    this.#becomeReadable();
  }

  writable(now: Millis): void {
    this.#drain(now);
  }

  closed(now: Millis, code: string): void {
    this.#socket = undefined;
    this.#readable = false;
    this.#owner.streamBroken(now, this, code);
  }

  #becomeReadable(): void {
    this.#readable = true;
    this.#owner.streamReady(this);
  }

  #drain(now: Millis): void {
    const backlog = this.#backlog;
    const socket = this.#socket;
    if (socket === undefined || !this.#connected) return;
    if (this.#preface !== undefined) {
      const n = socket.write(this.#preface, 0, this.#preface.length);
      this.#preface = n < this.#preface.length ? this.#preface.subarray(n) : undefined;
      if (this.#preface !== undefined) return;
    }
    while (backlog.length > 0) {
      const n = socket.write(backlog.bytes, backlog.start, backlog.end);
      if (n === 0) return;
      backlog.consume(n);
      this.lastActive = now;
      this.#owner.streamConsumed(now, this, n);
    }
    if (this.remoteEnded && !this.#shutdown) {
      this.#shutdown = true;
      socket.shutdown();
      this.#owner.streamReady(this);
    }
  }
}
