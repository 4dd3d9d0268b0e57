/**
 * What the tunnel takes for a TCP connection and is a stream of this process.
 *
 *   application ─ give ─▶ chunks, not copied ─▶ read ─▶ tunnel          `given` is called when all of them were read
 *   application ◀─ arrived ─ inbox, copied ◀─ write ◀─ tunnel           at most `inboxMax`, and nothing while the application wants none
 *
 * The tunnel calls from rounds of the loop. The application is called outside of them only, in a tick that follows, so whatever it does or throws
 * meets a tunnel at rest; what it asks for is done in the next round.
 */
import { assert } from "../base/assert.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Bytes, Millis } from "../base/units.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { readEach, writeEach } from "../host/scatter.ts";
import { sessionEnded, TunnelError } from "./tunnel-error.ts";

/** What the pipe tells the application's side. */
export interface PipeEnd {
  /** Bytes for the application, which own their memory. False when it wants no more until it says `drained`. */
  arrived(bytes: Buffer): boolean;
  /** The other end will send no more. */
  ended(): void;
  /** Nothing that is given from now on can be sent. */
  closed(): void;
  failed(error: TunnelError): void;
}

/** Asks for a call in the loop's next round. */
export type Later = (task: (now: Millis) => void) => void;

type Given = (error?: Error) => void;

export class PipeSocket implements TcpSocket {
  readonly remote: string;
  readonly #later: Later;
  readonly #inboxMax: Bytes;
  #end: PipeEnd | undefined;
  #handler: TcpHandler | undefined;
  /** Neither side has closed it. */
  #open = true;
  #closed = false;
  #failure: TunnelError | undefined;
  #chunks: readonly Uint8Array[] = [];
  /** Of the chunk being read, and the bytes of it that were. */
  #index = 0;
  #offset = 0;
  #given: Given | undefined;
  #ending: Given | undefined;
  #ended = false;
  #readWaits = true;
  #inbox: Buffer[] = [];
  #inboxBytes = 0;
  #wanted = true;
  #writeWaits = false;
  #flushing = false;
  #shutdown = false;
  #endTold = false;

  /** `inboxMax`: most bytes handed to the application at once. */
  constructor(later: Later, remote: string, inboxMax: Bytes) {
    this.#later = later;
    this.remote = remote;
    this.#inboxMax = inboxMax;
  }

  join(end: PipeEnd): void {
    this.#end = end;
  }

  attach(handler: TcpHandler): void {
    this.#handler = handler;
  }

  read(bytes: Uint8Array, offset: number, limit: number): number {
    let at = offset;
    while (at < limit && this.#index < this.#chunks.length) {
      const chunk = this.#chunks[this.#index]!;
      const n = Math.min(chunk.length - this.#offset, limit - at);
      bytes.set(chunk.subarray(this.#offset, this.#offset + n), at);
      at += n;
      this.#offset += n;
      if (this.#offset < chunk.length) break;
      this.#index++;
      this.#offset = 0;
    }
    if (this.#given !== undefined && this.#index === this.#chunks.length) this.#answer();
    if (at > offset) return at - offset;
    if (this.#given === undefined && this.#ended) {
      this.#answer();
      return -1;
    }
    this.#readWaits = true;
    return 0;
  }

  write(bytes: Uint8Array, offset: number, end: number): number {
    assert(!this.#shutdown, "write after shutdown");
    if (!this.#open) return 0;
    const n = Math.min(end - offset, this.#room);
    if (n < end - offset) this.#writeWaits = true;
    if (n === 0) return 0;
    const copy = Buffer.allocUnsafe(n);
    copy.set(bytes.subarray(offset, offset + n));
    this.#inbox.push(copy);
    this.#inboxBytes += n;
    this.#flushSoon();
    return n;
  }

  readv(pieces: Pieces): number {
    return readEach(this, pieces);
  }

  writev(pieces: Pieces): number {
    return writeEach(this, pieces);
  }

  shutdown(): void {
    this.#shutdown = true;
    this.#flushSoon();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed = true;
    this.#shutdown = true;
    this.#flushSoon();
  }

  /** `reason`: why the session ended. */
  reset(reason?: string): void {
    this.fail(sessionEnded(reason));
  }

  /** Ends both directions: what waits for the application is lost. */
  fail(error: TunnelError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#failure = error;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#flushSoon();
  }

  /** The application gives chunks, borrowed until `given` is called; it gives no others before. */
  give(chunks: readonly Uint8Array[], given: Given): void {
    if (!this.#open) {
      given(new TunnelError("EPIPE", "the other end has closed the stream"));
      return;
    }
    this.#chunks = chunks;
    this.#index = 0;
    this.#offset = 0;
    this.#given = given;
    this.#becomeReadable();
  }

  /** The application will give no more; `done` when the tunnel knows. */
  finish(done: Given): void {
    this.#ended = true;
    if (!this.#open) {
      done();
      return;
    }
    this.#ending = done;
    this.#becomeReadable();
  }

  /** The application wants bytes. */
  drained(): void {
    this.#wanted = true;
    if (!this.#writeWaits || !this.#open || this.#room === 0) return;
    this.#writeWaits = false;
    this.#later((now) => {
      if (this.#open) this.#handler?.writable(now);
    });
  }

  /** The application wants no more of it. */
  abandon(error: Error): void {
    if (this.#given !== undefined) process.nextTick(this.#given, error);
    this.#given = undefined;
    this.#chunks = [];
    if (!this.#open) return;
    this.#open = false;
    this.#inbox = [];
    const code = (error as NodeJS.ErrnoException).code ?? "ECONNABORTED";
    this.#later((now) => this.#handler?.closed(now, code));
  }

  /** Fails what was given and not read, once nothing can be sent any more. */
  refuseGiven(): void {
    const given = this.#given;
    if (this.#open || given === undefined) return;
    this.#given = undefined;
    given(new TunnelError("EPIPE", "the other end has closed the stream"));
  }

  get #room(): Bytes {
    return this.#wanted ? this.#inboxMax - this.#inboxBytes : 0;
  }

  #becomeReadable(): void {
    if (!this.#readWaits) return;
    this.#readWaits = false;
    this.#later((now) => {
      if (this.#open) this.#handler?.readable(now);
    });
  }

  /** Tells the application that what it gave, or its end, was taken. */
  #answer(): void {
    const answer = this.#given ?? this.#ending;
    if (this.#given !== undefined) this.#given = undefined;
    else this.#ending = undefined;
    this.#chunks = [];
    this.#index = 0;
    if (answer !== undefined) process.nextTick(answer);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const end = this.#end;
    const inbox = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    if (end === undefined) return;
    for (const bytes of inbox) this.#wanted = end.arrived(bytes);
    if (this.#failure !== undefined) {
      end.failed(this.#failure);
      return;
    }
    if (this.#shutdown && !this.#endTold) {
      this.#endTold = true;
      end.ended();
    }
    if (this.#closed) {
      this.#closed = false;
      end.closed();
    }
    if (this.#wanted) this.drained();
  }
}
