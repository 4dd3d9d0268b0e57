/**
 * One connection through the tunnel: a TCP socket joined to a smux stream.
 *
 *   socket → (when KCP has room) read straight into a smux frame → KCP        no bytes are kept: the kernel's buffer is the queue
 *   KCP → smux pieces, gathered while they lie in one buffer → socket         one call for many frames
 *                    what the socket does not take waits in `#backlog`        bounded by the windows of smux
 *
 * Half close is real: each direction ends by itself. Peers that close both at once (kcptun) leave a half that idles;
 * it is closed after `closewait` seconds without a byte.
 */
import { ByteQueue } from "../base/byte-queue.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Millis } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import type { Qpp } from "../qpp/qpp.ts";

/** What a stream asks of its session. */
export interface StreamOwner {
  /** The stream can send again, or has ended a direction. */
  streamReady(stream: Stream): void;
  /** Where the stream may gather pieces of what it receives, until the owner calls `settle`, and then `releasePieces`. */
  gather(stream: Stream): Pieces;
  /** `n` received bytes were taken by the socket. */
  streamConsumed(now: Millis, stream: Stream, n: number): void;
  /** The socket broke: the peer must be told. */
  streamBroken(now: Millis, stream: Stream, code: string): void;
}

/** Answers of `Stream.pull` besides a count of bytes. */
export const NOTHING_NOW = 0;
export const ENDED = -1;
/** Of `Layers.pull`: the peer's window is shut. */
export const SHUT = -2;

export class Stream implements TcpHandler {
  /** 0 until it has one. */
  sid = 0;
  /** We opened it. */
  ours = false;
  /** For the peer, which was not told of it yet. */
  description: Uint8Array | undefined;
  readonly openedAt: Millis;
  /** In the session's queue of streams that may have bytes to send. */
  queued = false;
  /** Of its session's turns (turns.ts): the span that is looked at, and `sentBytes` at its beginning. */
  turnsSince: Millis = Number.NEGATIVE_INFINITY;
  turnsBytes = 0;
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
  /** Received and not yet written, while the buffer they lie in is borrowed. */
  #gathered: Pieces | undefined;
  #socket: TcpSocket | undefined;
  #connected = false;
  #readable = false;
  #shutdown = false;
  /** Sent to the socket before anything of the peer. */
  #preface: Uint8Array | undefined;

  readonly #qpp: Qpp | undefined;

  constructor(now: Millis, owner: StreamOwner, backlogBytesMax: number, qpp?: Qpp) {
    this.#qpp = qpp;
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

  /** False when `pull` would answer NOTHING_NOW. */
  get mayHaveBytes(): boolean {
    return this.#readable && this.#socket !== undefined;
  }

  /** Reads what the socket has into the pieces: count, NOTHING_NOW or ENDED. */
  pull(now: Millis, pieces: Pieces): number {
    if (!this.#readable || this.#socket === undefined) return NOTHING_NOW;
    const n = this.#socket.readv(pieces);
    if (n === 0) this.#readable = false;
    else if (n < 0) this.localEnded = true;
    else {
      if (this.#qpp !== undefined) encryptPieces(this.#qpp, pieces, n);
      this.sentBytes += n;
      this.lastActive = now;
    }
    return n < 0 ? ENDED : n;
  }

  /** Takes received bytes, which QPP decrypts where they lie; false when the peer sent more than it was allowed to. */
  deliver(now: Millis, bytes: Uint8Array, start: number, end: number): boolean {
    this.lastActive = now;
    this.receivedBytes += end - start;
    this.#qpp?.decrypt(bytes, start, end);
    if (this.#gathered?.full && !this.settle(now)) return false;
    if (!this.#connected || this.#backlog.length > 0 || this.#preface !== undefined || this.#socket === undefined) {
      return this.#backlog.push(bytes, start, end);
    }
    this.#gathered ??= this.#owner.gather(this);
    this.#gathered.bytes = bytes;
    this.#gathered.add(start, end);
    return true;
  }

  /** Writes what was gathered; false as `deliver`. */
  settle(now: Millis): boolean {
    const pieces = this.#gathered;
    if (pieces === undefined || pieces.length === 0) return true;
    const { bytes } = pieces;
    const n = this.#socket === undefined ? 0 : this.#socket.writev(pieces);
    pieces.consume(n);
    let taken = true;
    for (let i = 0; i < pieces.length && taken; i++) taken = this.#backlog.push(bytes, pieces.start[i]!, pieces.end[i]!);
    pieces.clear();
    if (n > 0) this.#owner.streamConsumed(now, this, n);
    return taken;
  }

  /** The list it gathered in, which it uses no more; undefined when it had none. */
  releasePieces(): Pieces | undefined {
    const pieces = this.#gathered;
    this.#gathered = undefined;
    return pieces;
  }

  /** The peer ended its direction, all of which was settled: FIN follows what is still waiting. */
  finish(now: Millis): void {
    this.remoteEnded = true;
    this.lastActive = now;
    this.#drain(now);
  }

  /** Ends the connection in order, discarding nothing that the socket has taken. */
  close(): void {
    this.#socket?.close();
    this.#letGo();
  }

  /** Both directions have ended and everything received was handed on. */
  get done(): boolean {
    return this.localEnded && this.#shutdown;
  }

  /** `reason`: why the session ended. */
  reset(reason?: string): void {
    this.#socket?.reset(reason);
    this.#letGo();
  }

  connected(now: Millis): void {
    this.#connected = true;
    this.#becomeReadable();
    this.#drain(now);
    // What came before the connection stood is most often all that ever waits here.
    if (this.#backlog.length === 0) this.#backlog.clear();
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

  #letGo(): void {
    this.#socket = undefined;
    this.#readable = false;
    this.#gathered?.clear();
    this.#backlog.clear();
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

function encryptPieces(qpp: Qpp, pieces: Pieces, bytes: number): void {
  let left = bytes;
  for (let i = 0; left > 0; i++) {
    const start = pieces.start[i]!;
    const n = Math.min(left, pieces.end[i]! - start);
    qpp.encrypt(pieces.bytes, start, start + n);
    left -= n;
  }
}
