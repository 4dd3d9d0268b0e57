/**
 * A stream that stands for a reverse listener: it carries no bytes; while it lives, the server listens for the client that opened it.
 * To the stream it looks like a connection that never says anything.
 */

import type { Pieces } from "../base/pieces.ts";
import type { TcpSocket } from "../host/loop.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

export class Registration implements TcpSocket {
  /** For logs: the name that was asked for. */
  readonly remote: string;
  readonly session: Session;
  readonly stream: Stream;
  readonly #ended: (registration: Registration) => void;
  #over = false;
  #shut = false;

  /** Attaches itself to the stream; `ended` is called once, when the stream ends. */
  constructor(session: Session, stream: Stream, name: string, ended: (registration: Registration) => void) {
    this.remote = name;
    this.session = session;
    this.stream = stream;
    this.#ended = ended;
    stream.attach(this, true);
  }

  get over(): boolean {
    return this.#over;
  }

  /** When the peer has ended its side there is nothing to wait for. */
  read(): number {
    return this.#shut ? -1 : 0;
  }

  readv(): number {
    return this.read();
  }

  write(_bytes: Uint8Array, offset: number, end: number): number {
    return end - offset;
  }

  writev(pieces: Pieces): number {
    let total = 0;
    for (let i = 0; i < pieces.length; i++) total += pieces.end[i]! - pieces.start[i]!;
    return total;
  }

  shutdown(): void {
    this.#shut = true;
    this.stream.readable(0);
    this.#end();
  }

  close(): void {
    this.#end();
  }

  reset(): void {
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended(this);
  }
}
