/** TCP inside a virtual host: two bounded pipes with the contract of host/loop.ts, half close and reset included. */

import { ByteQueue } from "../src/base/byte-queue.ts";
import type { Pieces } from "../src/base/pieces.ts";
import type { Millis } from "../src/base/units.ts";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { readEach, writeEach } from "../src/host/scatter.ts";
import type { VirtualLoop } from "./virtual-loop.ts";

export type Accept = (socket: TcpSocket, now: Millis) => TcpHandler | undefined;

/** Bytes a pipe holds before its writer is told to wait. */
const PIPE_BYTES = 65_536;

class Pipe {
  readonly queue = new ByteQueue(PIPE_BYTES);
  ended = false;
  /** The reader was told there was nothing; the writer that there was no room. */
  readerWaits = true;
  writerWaits = false;
}

class VirtualTcpSocket implements TcpSocket {
  readonly remote: string;
  readonly local: string;
  readonly #loop: VirtualLoop;
  readonly #in: Pipe;
  readonly #out: Pipe;
  other: VirtualTcpSocket | undefined;
  handler: TcpHandler | undefined;
  #closed = false;

  constructor(loop: VirtualLoop, remote: string, local: string, incoming: Pipe, outgoing: Pipe) {
    this.#loop = loop;
    this.remote = remote;
    this.local = local;
    this.#in = incoming;
    this.#out = outgoing;
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    const { queue } = this.#in;
    const n = queue.peek(bytes, offset, limit);
    if (n > 0) {
      queue.consume(n);
      if (this.#in.writerWaits) {
        this.#in.writerWaits = false;
        this.#tell((handler, now) => handler.writable(now), this.other);
      }
      return n;
    }
    if (this.#in.ended) return -1;
    this.#in.readerWaits = true;
    return 0;
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    const { queue } = this.#out;
    const n = Math.min(end - offset, queue.bytesMax - queue.length);
    if (n > 0) {
      queue.push(bytes, offset, offset + n);
      this.#announce();
    }
    if (n < end - offset) this.#out.writerWaits = true;
    return n;
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }

  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    this.#out.ended = true;
    this.#announce();
  }

  close(): void {
    this.#closed = true;
    this.shutdown();
  }

  reset(): void {
    this.#closed = true;
    const { other } = this;
    if (other !== undefined && !other.#closed) {
      other.#closed = true;
      this.#loop.post((now) => other.handler?.closed(now, "ECONNRESET"));
    }
  }

  #announce(): void {
    if (!this.#out.readerWaits) return;
    this.#out.readerWaits = false;
    this.#tell((handler, now) => handler.readable(now), this.other);
  }

  #tell(what: (handler: TcpHandler, now: Millis) => void, socket: VirtualTcpSocket | undefined): void {
    this.#loop.post((now) => {
      if (socket?.handler !== undefined && !socket.#closed) what(socket.handler, now);
    });
  }
}

/** `name` is the address of who connects, `to` of who is connected to. */
export function connectPipe(loop: VirtualLoop, name: string, to: string, accept: Accept | undefined, handler: TcpHandler): TcpSocket {
  const [up, down] = [new Pipe(), new Pipe()];
  const near = new VirtualTcpSocket(loop, to, name, down, up);
  const far = new VirtualTcpSocket(loop, name, to, up, down);
  near.other = far;
  far.other = near;
  near.handler = handler;
  loop.post((now) => {
    far.handler = accept?.(far, now);
    if (far.handler === undefined) handler.closed(now, "ECONNREFUSED");
    else handler.connected(now);
  });
  return near;
}
