/** A loop without an operating system: TCP as two queues of bytes, time that moves when it is told to. */

import type { Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket, UdpSocket } from "../../host/loop.ts";
import { readEach, writeEach } from "../../host/scatter.ts";

export class TestLoop implements Loop {
  readonly kind = "test";
  readonly #drivers: Driver[] = [];
  #accept: ((socket: TcpSocket, now: number) => TcpHandler | undefined) | undefined;
  #connections = 0;
  time = 0;

  now(): number {
    return this.time;
  }
  drive(driver: Driver): void {
    this.#drivers.push(driver);
  }
  wake(): void {}
  stop(): void {}
  listen(at: Endpoint, accept: (socket: TcpSocket, now: number) => TcpHandler | undefined): Listener {
    this.#accept = accept;
    return {
      local: at,
      close: () => {
        this.#accept = undefined;
      },
    };
  }
  udp(): UdpSocket {
    throw new Error("no UDP in this test");
  }
  connect(): TcpSocket {
    throw new Error("no outgoing connections in this test");
  }
  resolve(): void {
    throw new Error("no names in this test");
  }

  /** A connection to the listener, as the other side holds it. */
  dial(): TestConnection {
    return new TestConnection(this, `192.0.2.1:${40_000 + ++this.#connections}`, (socket) => this.#accept?.(socket, this.time));
  }

  /** Moves time in steps, and lets drivers do what is due. */
  pass(ms: number, step = 100): void {
    for (const until = this.time + ms; this.time < until; ) {
      this.time = Math.min(until, this.time + step);
      for (const driver of this.#drivers) driver.advance(this.time);
    }
  }
}

export class TestConnection {
  readonly #loop: TestLoop;
  readonly #handler: TcpHandler | undefined;
  readonly #inbound: Uint8Array[] = [];
  readonly #outbound: Uint8Array[] = [];
  #peerEnded = false;
  /** Bytes a write may take before the socket is full; `open` again by raising it. */
  window = Number.POSITIVE_INFINITY;
  /** The side under test ended its half; and all of it. */
  shutdown = false;
  closed = false;

  constructor(loop: TestLoop, remote: string, accept: (socket: TcpSocket) => TcpHandler | undefined) {
    this.#loop = loop;
    const socket: TcpSocket = {
      remote,
      read: (bytes, offset, limit) => this.#read(bytes, offset, limit),
      write: (bytes, offset, end) => {
        const n = Math.min(end - offset, this.window);
        this.window -= n;
        this.#outbound.push(bytes.slice(offset, offset + n));
        return n;
      },
      readv: (pieces) => readEach(socket, pieces),
      writev: (pieces) => writeEach(socket, pieces),
      shutdown: () => {
        this.shutdown = true;
      },
      close: () => {
        this.closed = true;
      },
      reset: () => {
        this.closed = true;
      },
    };
    this.#handler = accept(socket);
    this.closed = this.#handler === undefined;
  }

  send(bytes: Uint8Array): void {
    if (this.closed) return;
    this.#inbound.push(bytes.slice());
    this.#handler?.readable(this.#loop.time);
  }

  /** Ends our side. */
  end(): void {
    this.#peerEnded = true;
    if (!this.closed) this.#handler?.readable(this.#loop.time);
  }

  break(code: string): void {
    this.#handler?.closed(this.#loop.time, code);
    this.closed = true;
  }

  open(window: number): void {
    this.window = window;
    this.#handler?.writable(this.#loop.time);
  }

  /** What the side under test has sent since the last call. */
  received(): Uint8Array {
    return Buffer.concat(this.#outbound.splice(0));
  }

  #read(bytes: Uint8Array, offset: number, limit: number): number {
    const first = this.#inbound[0];
    if (first === undefined) return this.#peerEnded ? -1 : 0;
    const n = Math.min(first.length, limit - offset);
    bytes.set(first.subarray(0, n), offset);
    if (n === first.length) this.#inbound.shift();
    else this.#inbound[0] = first.subarray(n);
    return n;
  }
}
