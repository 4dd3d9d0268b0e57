/**
 * Plain TCP over a bad link inside the process: what an encoder would get that publishes directly. Without root no real TCP can be put on an
 * emulated link, so the modelled one (emulator/tcp-stream.ts) carries the bytes; it is checked against kernel TCP.
 *
 *   encoder ─ TcpSocket ─▶ [TcpStream up] ─▶ real socket ─▶ target
 *           ◀───────────── [TcpStream down] ◀──────────────
 */
import type { Pieces } from "../base/pieces.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { parseLink } from "../emulator/parse.ts";
import { TcpStream } from "../emulator/tcp-stream.ts";
import type { Driver, Endpoint, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import { readEach, writeEach } from "../host/scatter.ts";

export interface TcpPathOptions {
  readonly target: Endpoint;
  /** "delay=100 loss=1% rate=20mbit qbytes=512k", for each direction. */
  readonly link: string;
  readonly seed: number;
}

/** What Linux gives a slow connection: twice its window. More would only add delay. */
const SEND_BUFFER_BYTES = 131_072;

export class TcpPath implements Driver {
  readonly #loop: Loop;
  readonly #options: TcpPathOptions;
  #connection: Connection | undefined;

  constructor(loop: Loop, options: TcpPathOptions) {
    this.#loop = loop;
    this.#options = options;
    loop.drive(this);
  }

  /** The stream from the encoder, of the connection made last. */
  get up(): TcpStream | undefined {
    return this.#connection?.up;
  }

  /** As `Loop.connect`, through the link to the target. One connection at a time: the one before is reset. */
  connect(handler: TcpHandler): TcpSocket {
    this.#connection?.reset();
    const connection = new Connection(this.#loop, this.#options, handler);
    this.#connection = connection;
    return connection;
  }

  advance(now: Millis): Millis {
    return this.#connection?.advance(now) ?? NEVER;
  }
}

/** Both ends in one: a TcpSocket towards the encoder, a TcpHandler of the real socket at the target. */
class Connection implements TcpSocket, TcpHandler {
  readonly remote = "emulated link";
  readonly up: TcpStream;
  readonly #down: TcpStream;
  readonly #loop: Loop;
  readonly #handler: TcpHandler;
  readonly #socket: TcpSocket;
  readonly #buffer = new Uint8Array(16_384);
  #connected = false;
  #readable = false;
  #ended = false;
  #readerWaits = true;
  #writerWaits = false;
  #closed = false;

  constructor(loop: Loop, { target, link, seed }: TcpPathOptions, handler: TcpHandler) {
    const parameters = parseLink(link);
    this.#loop = loop;
    this.#handler = handler;
    this.up = new TcpStream(parameters, seed, { sendBufferBytes: SEND_BUFFER_BYTES });
    this.#down = new TcpStream(parameters, seed + 2, { sendBufferBytes: SEND_BUFFER_BYTES });
    this.#socket = loop.connect(target, this);
  }

  advance(now: Millis): Millis {
    if (this.#closed) return NEVER;
    this.#receive(now);
    this.up.advance(now);
    this.#down.advance(now);
    this.#send();
    if (this.#readerWaits && (this.#down.readable > 0 || this.#ended)) {
      this.#readerWaits = false;
      this.#handler.readable(now);
    }
    if (this.#writerWaits && this.up.sender.room > 0) {
      this.#writerWaits = false;
      this.#handler.writable(now);
      this.up.advance(now);
    }
    return Math.min(this.up.deadline(), this.#down.deadline());
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    const n = this.#down.read(bytes, offset, limit);
    if (n > 0) return n;
    if (this.#ended) return -1;
    this.#readerWaits = true;
    return 0;
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    const n = this.up.write(0, bytes, offset, end);
    if (n < end - offset) this.#writerWaits = true;
    if (n > 0) this.#loop.wake();
    return n;
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }

  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    this.#socket.shutdown();
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  reset(): void {
    this.#closed = true;
    this.#socket.reset();
  }

  connected(now: Millis): void {
    this.#connected = true;
    this.#handler.connected(now);
  }

  readable(_now: Millis): void {
    this.#readable = true;
    this.#loop.wake();
  }

  writable(_now: Millis): void {
    this.#loop.wake();
  }

  closed(now: Millis, code: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler.closed(now, code);
  }

  /** From the target onto the link. */
  #receive(now: Millis): void {
    while (this.#readable && this.#down.sender.room >= this.#buffer.length) {
      const n = this.#socket.read(this.#buffer, 0, this.#buffer.length);
      if (n > 0) this.#down.write(now, this.#buffer, 0, n);
      else this.#readable = false;
      if (n < 0) this.#ended = true;
    }
  }

  /** Off the link to the target. */
  #send(): void {
    if (!this.#connected) return;
    const { queue } = this.up.receiver;
    while (queue.length > 0) {
      const n = this.#socket.write(queue.bytes, queue.start, queue.end);
      if (n === 0) return;
      queue.consume(n);
    }
  }
}
