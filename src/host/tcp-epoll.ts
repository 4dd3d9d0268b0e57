/**
 * A TCP or unix stream socket on epoll, edge-triggered: the kernel's buffers are the only queues.
 *
 *   connecting ─► open ─► (peer's end read) ─► (our end sent) ─► closed
 *                  │ close(): end sent, handler let go ─► lingering: input is thrown away until the peer ends, then closed
 *                  │ reset(): RST
 *                  └ error ─► handler.closed(code)
 *
 * The handler is called once per edge: `readable` only after a read answered 0, `writable` only after a write fell short. A read that
 * brought less than asked has emptied the buffer, so the next one answers 0 without a call, unless the peer's end or urgent data,
 * which stop a read early, are about.
 *
 * Closing a socket whose input was not read makes the kernel send RST, and RST may destroy at the peer what it has not read
 * yet: hence the lingering, bounded in time, bytes and number.
 *
 * Source: tcp(7), epoll(7), RFC 9293 section 3.6; RFC 2525 section 2.17 on closing with unread data.
 */
import { assert } from "../base/assert.ts";
import { HostError } from "../base/errors.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Millis } from "../base/units.ts";
import type { Pollable, Registration } from "./epoll.ts";
import { EAGAIN, EINTR, errnoName } from "./errno.ts";
import { Linger } from "./linger.ts";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SHUT_WR,
  SO_LINGER,
  SOL_SOCKET,
} from "./linux-abi.ts";
import type { TcpHandler, TcpSocket, TcpTuning } from "./loop.ts";
import type { Reactor, Resource } from "./reactor.ts";
import { localName } from "./sockaddr.ts";
import { setOption, takeError } from "./socket-option.ts";
import { congestionOf, tuneTcp } from "./tcp-tuning.ts";

const STREAM_EVENTS = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const READ_EVENTS = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** Handler of a socket that was closed: nobody listens any more. */
const NOBODY: TcpHandler = { connected: () => {}, readable: () => {}, writable: () => {}, closed: () => {} };

export class EpollTcpSocket implements TcpSocket, Pollable, Resource {
  readonly fd: number;
  readonly remote: string;
  readonly #reactor: Reactor;
  #handler: TcpHandler = NOBODY;
  #registration: Registration = -1;
  readonly #accepted: boolean;
  #connecting: boolean;
  #open = true;
  #linger: Linger | undefined;
  /** The handler waits for `readable`, for `writable`. */
  #readWaits = true;
  #writeWaits = false;
  /** The last read emptied the kernel's buffer, and nothing has come since. */
  #drained = false;
  /** A read may fall short without having emptied the buffer. */
  #exact = false;
  #ended = false;
  #shutdown = false;
  #failure: string | undefined;

  /** Takes over the descriptor, which must be non-blocking. */
  constructor(reactor: Reactor, fd: number, remote: string, connecting: boolean) {
    this.#reactor = reactor;
    this.fd = fd;
    this.remote = remote;
    this.#accepted = !connecting;
    this.#connecting = connecting;
    reactor.resources.add(this);
  }

  get local(): string {
    return this.#open ? localName(this.#reactor.sys, this.fd) : "";
  }

  get congestion(): string {
    return this.#open ? congestionOf(this.#reactor.sys, this.fd) : "";
  }

  tune(tuning: TcpTuning): void {
    if (this.#open) tuneTcp(this.#reactor.sys, this.fd, tuning);
  }

  /** Begins to watch the socket for the handler, unless it was closed meanwhile. */
  attach(handler: TcpHandler): void {
    if (!this.#open || this.#linger !== undefined) return;
    this.#handler = handler;
    this.#watch();
  }

  ready(events: number, now: Millis): void {
    // What became of it is told in this round already.
    if (this.#failure !== undefined) return;
    if (this.#connecting && !this.#finishConnecting(events, now)) return;
    if ((events & READ_EVENTS) !== 0) {
      this.#drained = false;
      if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) !== 0) this.#exact = true;
      if (this.#linger !== undefined) {
        this.#linger.readable();
        return;
      }
      if (this.#readWaits && this.#open) {
        this.#readWaits = false;
        this.#handler.readable(now);
      }
      // Whoever waits for input has met the error in reading; whoever does not is told.
      if ((events & EPOLLERR) !== 0 && this.#open && this.#healthy) {
        const errno = takeError(this.#reactor.sys, this.fd);
        if (errno !== 0) this.#fail(errno);
      }
    }
    if ((events & EPOLLOUT) !== 0 && this.#writeWaits && this.#open && this.#healthy) {
      this.#writeWaits = false;
      this.#handler.writable(now);
    }
  }

  get #healthy(): boolean {
    return this.#failure === undefined;
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    const { sys, buffers } = this.#reactor;
    if (limit <= offset || !this.#canRead()) return this.#ended ? -1 : 0;
    for (;;) {
      const n = sys.recv(this.fd, buffers.of(bytes) + offset, limit - offset, MSG_DONTWAIT);
      if (n >= 0 || this.#refused()) return this.#haveRead(n, limit - offset);
    }
  }

  readv(pieces: Pieces): number {
    const { sys, vectors } = this.#reactor;
    if (pieces.length === 1) return this.read(pieces.bytes, pieces.start[0]!, pieces.end[0]!);
    if (!this.#canRead()) return this.#ended ? -1 : 0;
    const message = vectors.lay(pieces);
    for (;;) {
      const n = sys.recvmsg(this.fd, message, MSG_DONTWAIT);
      if (n >= 0 || this.#refused()) return this.#haveRead(n, vectors.bytes);
    }
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    const { sys, buffers } = this.#reactor;
    if (end <= offset || !this.#canWrite()) return 0;
    for (;;) {
      const n = sys.send(this.fd, buffers.of(bytes) + offset, end - offset, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n >= 0 || this.#refused()) return this.#haveWritten(n, end - offset);
    }
  }

  writev(pieces: Pieces): number {
    const { sys, vectors } = this.#reactor;
    if (pieces.length === 1) return this.write(pieces.bytes, pieces.start[0]!, pieces.end[0]!);
    if (!this.#canWrite()) return 0;
    const message = vectors.lay(pieces);
    for (;;) {
      const n = sys.sendmsg(this.fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n >= 0 || this.#refused()) return this.#haveWritten(n, vectors.bytes);
    }
  }

  shutdown(): void {
    if (!this.#open || this.#shutdown) return;
    this.#shutdown = true;
    if (!this.#connecting && this.#failure === undefined) this.#reactor.sys.shutdown(this.fd, SHUT_WR);
  }

  close(): void {
    if (!this.#open) return;
    this.#handler = NOBODY;
    if (this.#connecting || this.#ended || this.#failure !== undefined) this.destroy();
    else this.#finish();
  }

  reset(): void {
    if (!this.#open) return;
    setOption(this.#reactor.sys, this.fd, SOL_SOCKET, SO_LINGER, 1, 0);
    this.destroy();
  }

  destroy(): void {
    if (this.#linger !== undefined) this.#linger.end();
    else if (this.#open) {
      this.#open = false;
      this.#release();
    }
  }

  #canRead(): boolean {
    if (this.#ended || !this.#open || this.#failure !== undefined) return false;
    if (!this.#drained && !this.#connecting) return true;
    this.#readWaits = true;
    return false;
  }

  /** Books what a call of `asked` bytes answered. */
  #haveRead(n: number, asked: number): number {
    if (n > 0) {
      this.#readWaits = false;
      this.#drained = n < asked && !this.#exact;
      return n;
    }
    if (n === 0) {
      this.#ended = true;
      return -1;
    }
    if (this.#healthy) this.#readWaits = true;
    return 0;
  }

  #canWrite(): boolean {
    assert(!this.#shutdown || !this.#open, "write after shutdown");
    if (!this.#open || this.#failure !== undefined) return false;
    if (this.#connecting) this.#writeWaits = true;
    return !this.#connecting;
  }

  #haveWritten(n: number, asked: number): number {
    if (n < asked && this.#healthy) this.#writeWaits = true;
    return Math.max(n, 0);
  }

  /** After a call that failed: false when it is to be made again. */
  #refused(): boolean {
    const errno = this.#reactor.sys.errno();
    if (errno === EINTR) return false;
    if (errno !== EAGAIN) this.#fail(errno);
    return true;
  }

  #finishConnecting(events: number, now: Millis): boolean {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) === 0) return false;
    const errno = takeError(this.#reactor.sys, this.fd);
    if (errno !== 0) {
      this.#fail(errno);
      return false;
    }
    this.#connecting = false;
    if (this.#shutdown) this.#reactor.sys.shutdown(this.fd, SHUT_WR);
    this.#handler.connected(now);
    return this.#open;
  }

  #finish(): void {
    this.shutdown();
    this.#open = false;
    this.#linger = Linger.begin(this.#reactor, this.fd, () => this.#release());
    if (this.#linger === undefined) this.#release();
    else {
      // Closed inside `accept`, before it was watched.
      if (this.#registration < 0) this.#watch();
      this.#linger?.readable();
    }
  }

  #watch(): void {
    try {
      this.#registration = this.#reactor.epoll.add(this, STREAM_EVENTS);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (this.#linger !== undefined) this.#linger.end();
      else this.failLater(error.code);
    }
  }

  #fail(errno: number): void {
    this.failLater(errnoName(errno));
  }

  /** Tells the handler once the events of this round are handled, never from inside its own call. */
  failLater(code: string): void {
    this.#failure = code;
    this.#reactor.later((now) => {
      if (!this.#open) return;
      const handler = this.#handler;
      this.destroy();
      handler.closed(now, code);
    });
  }

  #release(): void {
    this.#linger = undefined;
    this.#reactor.resources.delete(this);
    if (this.#registration >= 0) this.#reactor.epoll.remove(this.#registration);
    this.#registration = -1;
    this.#reactor.sys.close(this.fd);
    if (this.#accepted) this.#reactor.handover?.ended();
  }
}
