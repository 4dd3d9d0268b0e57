/**
 * A TCP or unix stream socket on node:net, turned from pushing to the pulling contract of `loop.ts`.
 *
 *   'data' ─► queue of chunks, paused above QUEUE_BYTES ─► read        write ─► a copy, as much as fits below QUEUE_BYTES ─► socket.write
 *
 * Node's events only set flags; what they mean for the handler is told in the loop's next round, in the order connected, readable,
 * writable, closed.
 */
import type { Socket } from "node:net";
import { assert } from "../base/assert.ts";
import type { Pieces } from "../base/pieces.ts";
import { Ring } from "../base/ring.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { formatHostPort } from "./ip-address.ts";
import type { TcpHandler, TcpSocket } from "./loop.ts";
import type { NodeReactor } from "./node-reactor.ts";
import type { Resource } from "./reactor.ts";
import { readEach, writeEach } from "./scatter.ts";

/** Tuning: bytes held in each direction. */
export const QUEUE_BYTES: Bytes = 256 << 10;
/** Chunks of one byte are bounded too. */
const CHUNKS_MAX = 65_536;
const LINGER_MS: Millis = 2000;
const KEEPALIVE_MS: Millis = 60_000;

export class NetTcpSocket implements TcpSocket, Resource {
  readonly remote: string;
  readonly #reactor: NodeReactor;
  readonly #socket: Socket;
  readonly #chunks = new Ring<Uint8Array>(CHUNKS_MAX);
  #handler: TcpHandler | undefined;
  /** Bytes of the first chunk that were read already, and of all chunks that were not. */
  #consumed = 0;
  #queued: Bytes = 0;
  #readWaits = true;
  #writeWaits = false;
  #paused = false;
  #open = true;
  #ended = false;
  #shutdown = false;
  #told = false;
  #hasConnected = false;
  #canRead = false;
  #canWrite = false;
  #failure: string | undefined;
  readonly #dispatchLater = (now: Millis): void => this.#dispatch(now);

  /** `socket` is connecting, or connected and paused. */
  constructor(reactor: NodeReactor, socket: Socket, remote: string) {
    this.#reactor = reactor;
    this.#socket = socket;
    this.remote = remote;
    socket.on("error", (error: NodeJS.ErrnoException) => this.failLater(error.code ?? "EIO"));
    socket.on("close", () => {
      if (!this.#ended || !this.#shutdown) this.failLater("ECONNRESET");
    });
    reactor.resources.add(this);
  }

  get local(): string {
    const { localAddress, localPort } = this.#socket;
    return localAddress === undefined || localPort === undefined ? "" : formatHostPort(localAddress, localPort);
  }

  attach(handler: TcpHandler): void {
    if (!this.#open) return;
    this.#handler = handler;
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on("connect", () => {
      this.#hasConnected = true;
      this.#tell();
    });
    socket.on("data", (chunk: Uint8Array) => this.#data(chunk));
    socket.on("end", () => {
      this.#ended = true;
      this.#canRead = true;
      this.#tell();
    });
    socket.on("drain", () => {
      this.#canWrite = true;
      this.#tell();
    });
    socket.resume();
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    if (!this.#open || limit <= offset) return 0;
    let at = offset;
    while (at < limit) {
      const chunk = this.#chunks.at(0);
      if (chunk === undefined) break;
      const n = Math.min(chunk.length - this.#consumed, limit - at);
      bytes.set(chunk.subarray(this.#consumed, this.#consumed + n), at);
      at += n;
      this.#consumed += n;
      if (this.#consumed < chunk.length) break;
      this.#chunks.shift();
      this.#consumed = 0;
    }
    this.#queued -= at - offset;
    if (this.#paused && this.#queued < QUEUE_BYTES / 2) {
      this.#paused = false;
      this.#socket.resume();
    }
    if (at > offset) {
      this.#readWaits = false;
      return at - offset;
    }
    if (this.#ended) return -1;
    this.#readWaits = true;
    return 0;
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    assert(!this.#shutdown || !this.#open, "write after shutdown");
    if (!this.#open || this.#failure !== undefined || end <= offset) return 0;
    const n = this.#socket.connecting ? 0 : Math.min(end - offset, QUEUE_BYTES - this.#socket.writableLength);
    if (n < end - offset) this.#writeWaits = true;
    if (n <= 0) return 0;
    const copy = Buffer.allocUnsafe(n);
    copy.set(bytes.subarray(offset, offset + n));
    this.#socket.write(copy);
    return n;
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }

  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    if (!this.#open || this.#shutdown) return;
    this.#shutdown = true;
    this.#socket.end();
  }

  close(): void {
    if (!this.#open) return;
    const socket = this.#socket;
    this.shutdown();
    this.#release();
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    // What comes now is thrown away; see tcp-epoll.ts for why the socket is not simply destroyed.
    this.#reactor.counters.lingering++;
    const cut = setTimeout(() => {
      this.#reactor.counters.lingerCut++;
      socket.destroy();
    }, LINGER_MS);
    socket.on("close", () => {
      clearTimeout(cut);
      this.#reactor.resources.delete(lingering);
      this.#reactor.counters.lingering--;
    });
    const lingering: Resource = { destroy: () => socket.destroy() };
    this.#reactor.resources.add(lingering);
    socket.resume();
  }

  reset(): void {
    if (!this.#open) return;
    this.#release();
    // A unix socket has no RST.
    if (this.#socket.remoteAddress === undefined) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#release();
    this.#socket.destroy();
  }

  #release(): void {
    this.#open = false;
    this.#chunks.clear();
    this.#queued = 0;
    this.#reactor.resources.delete(this);
  }

  #data(chunk: Uint8Array): void {
    if (!this.#open) return;
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    this.#canRead = true;
    if (this.#queued >= QUEUE_BYTES || this.#chunks.length >= CHUNKS_MAX / 2) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#tell();
  }

  /** Tells the handler in the next round. */
  failLater(code: string): void {
    if (!this.#open || this.#failure !== undefined) return;
    this.#failure = code;
    this.#tell();
  }

  #tell(): void {
    if (this.#told || !this.#open) return;
    this.#told = true;
    this.#reactor.later(this.#dispatchLater);
  }

  #dispatch(now: Millis): void {
    this.#told = false;
    const handler = this.#handler;
    if (handler === undefined || !this.#open) return;
    if (this.#hasConnected) {
      this.#hasConnected = false;
      // What was written while connecting was refused, so room is news.
      this.#canWrite = true;
      handler.connected(now);
    }
    if (this.#open && this.#canRead && this.#readWaits) {
      this.#canRead = false;
      this.#readWaits = false;
      handler.readable(now);
    }
    if (this.#open && this.#failure !== undefined) {
      this.destroy();
      handler.closed(now, this.#failure);
    } else if (this.#open && this.#canWrite && this.#writeWaits) {
      this.#canWrite = false;
      this.#writeWaits = false;
      handler.writable(now);
    }
  }
}
