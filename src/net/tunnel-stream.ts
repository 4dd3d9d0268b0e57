/**
 * A stream through a tunnel, with the manners of net.Socket: a Duplex with back-pressure in both directions, half close, idle time-outs, destroy.
 *
 *   write ─▶ writable buffer ─▶ pipe ─▶ tunnel          `write` answers false, and 'drain' comes, as for any Duplex
 *   'data' ◀─ readable buffer ◀─ pipe ◀─ tunnel         who does not read stops the sender, through smux's window
 *
 * Deviations from net.Socket: it can be written at once, because the protocol confirms no opening, so there is no 'connect'; an empty end() of a
 * kcptun peer closes both directions, because kcptun knows no half close.
 */
import { Duplex, type DuplexOptions } from "node:stream";
import type { Bytes, Millis } from "../base/units.ts";
import type { PipeSocket } from "./pipe-socket.ts";
import { TunnelError } from "./tunnel-error.ts";

export interface StreamOptions {
  /** false: ends our side when the other end has ended its own, as net.Socket does by default. */
  readonly allowHalfOpen: boolean;
  /** Bytes of either buffer. */
  readonly highWaterMark: Bytes;
}

type Done = (error?: Error | null) => void;

export class TunnelStream extends Duplex {
  /** The other end of the tunnel, as it was given, or "203.0.113.7:4711" at a server. */
  readonly remoteAddress: string;
  /** At a server: the name of the target that was asked for, and of the client's user; "" for the default target, and without users. */
  readonly target: string;
  readonly user: string;
  bytesRead: Bytes = 0;
  bytesWritten: Bytes = 0;
  readonly #pipe: PipeSocket;
  #idle: NodeJS.Timeout | undefined;
  #timeout: Millis = 0;

  /** Not for users: streams come from `Tunnel.open` and from a server's 'connection'. */
  constructor(pipe: PipeSocket, options: StreamOptions, target = "", user = "") {
    super({ ...options, emitClose: true, autoDestroy: true } satisfies DuplexOptions);
    this.#pipe = pipe;
    this.target = target;
    this.user = user;
    this.remoteAddress = pipe.remote;
    pipe.join({
      arrived: (bytes) => this.#arrived(bytes),
      ended: () => this.#ended(),
      closed: () => this.#closed(),
      failed: (error) => this.destroy(error),
    });
  }

  /** Emits 'timeout' after `ms` without a byte in either direction; 0 = never. The stream goes on: destroy it if that is meant. */
  setTimeout(ms: Millis, listener?: () => void): this {
    clearTimeout(this.#idle);
    this.#timeout = ms;
    this.#idle = ms > 0 && !this.destroyed ? setTimeout(() => this.emit("timeout"), ms) : undefined;
    if (listener !== undefined) this.once("timeout", listener);
    return this;
  }

  get timeout(): Millis {
    return this.#timeout;
  }

  override _read(): void {
    this.#pipe.drained();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#give([chunk], done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.#give(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#pipe.finish(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#idle);
    this.#pipe.abandon(error ?? new TunnelError("ECONNABORTED", "the stream was destroyed"));
    done(error);
  }

  #give(chunks: readonly Uint8Array[], done: Done): void {
    this.#idle?.refresh();
    for (const chunk of chunks) this.bytesWritten += chunk.length;
    this.#pipe.give(chunks, done);
  }

  #arrived(bytes: Buffer): boolean {
    if (this.destroyed) return false;
    this.#idle?.refresh();
    this.bytesRead += bytes.length;
    return this.push(bytes);
  }

  #ended(): void {
    if (!this.destroyed) this.push(null);
  }

  /** Gone in order. What was received is still to be read; what was written cannot be sent. */
  #closed(): void {
    if (this.destroyed) return;
    if (this.readableEnded) this.destroy();
    else this.once("end", () => this.destroy());
    if (this.readableLength === 0) this.#pipe.refuseGiven();
  }
}
