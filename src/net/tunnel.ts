/**
 * The near end of a tunnel: streams to a server of ours or to a kcptun server, which connects each to its target.
 *
 *   connect ─▶ Tunnel ─ open ─▶ TunnelStream, TunnelStream, …      sessions beneath are made when needed and made anew when they have died
 *
 * Runs in the thread it is made in, on Node's event loop (stream-loop.ts); longhaul's programs, on an epoll loop in a thread of its own, are quicker.
 */
import { EventEmitter } from "node:events";
import { addAbortSignal } from "node:stream";
import type { Millis } from "../base/units.ts";
import { primitives } from "../host/crypto.ts";
import { silentLog } from "../host/log.ts";
import { TunnelClient } from "../tunnel/client.ts";
import type { SessionReport } from "../tunnel/report.ts";
import { type CheckedConnect, type ConnectOptions, checkConnect } from "./options.ts";
import { PipeSocket } from "./pipe-socket.ts";
import { settled } from "./settled.ts";
import { StreamLoop } from "./stream-loop.ts";
import { TunnelError } from "./tunnel-error.ts";
import { TunnelStream } from "./tunnel-stream.ts";

export interface OpenOptions {
  /** Name of one of the server's targets; its default one if not given. A server that has none of that name ends the stream with ECONNRESET. */
  readonly target?: string;
  readonly signal?: AbortSignal;
}

/** Nothing is sent before a stream is opened. @throws ConfigError for wrong options; the signal's reason when it is aborted already */
export function connect(options: ConnectOptions): Tunnel {
  options.signal?.throwIfAborted();
  return new Tunnel(checkConnect(options), options);
}

export class Tunnel extends EventEmitter<{ close: [] }> implements AsyncDisposable {
  readonly #options: CheckedConnect;
  readonly #loop = new StreamLoop(() => {
    throw new Error("a client dials nobody");
  });
  readonly #client: TunnelClient;
  readonly #streams = new Set<TunnelStream>();
  #closing: Promise<void> | undefined;
  #destroyed = false;

  /** Not for users: `connect` makes it. */
  constructor(checked: CheckedConnect, { log = silentLog, signal }: ConnectOptions) {
    super();
    this.#options = checked;
    this.#client = new TunnelClient(checked.config, { loop: this.#loop, log, primitives });
    const abort = (): void => this.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", abort, { once: true });
    this.once("close", () => signal?.removeEventListener("abort", abort));
  }

  /** Streams that have not closed yet. */
  get streams(): number {
    return this.#streams.size;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /**
   * A stream to the server's target, its default one or that of a name, which can be written at once. It emits 'error' with a TunnelError when there cannot be one, and with an
   * AbortError when the signal aborts.
   */
  open({ target = "", signal }: OpenOptions = {}): TunnelStream {
    const pipe = new PipeSocket(this.#loop.later, this.#options.config.remoteaddr, this.#options.highWaterMark);
    const stream = new TunnelStream(pipe, this.#options);
    if (this.#closing !== undefined || this.#destroyed) {
      pipe.fail(new TunnelError("ECONNABORTED", "the tunnel is closed"));
      return stream;
    }
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    this.#loop.later((now) => this.#attach(now, stream, pipe, target));
    this.#expectAnswer(stream, pipe);
    return signal === undefined ? stream : addAbortSignal(signal, stream);
  }

  /** What the sessions beneath are doing now. */
  report(): SessionReport[] {
    return this.#client.report(this.#loop.now());
  }

  /** Takes no new streams, waits until those there are have closed and the server has everything, then frees the sockets. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends everything at once: streams close with `error`, or without one; what was not sent is lost. */
  destroy(error?: Error): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const stream of this.#streams) stream.destroy(error);
    this.#client.stop(this.#loop.now());
    this.#loop.round();
    this.#loop.stop();
    process.nextTick(() => this.emit("close"));
  }

  #attach(now: Millis, stream: TunnelStream, pipe: PipeSocket, target: string): void {
    if (stream.destroyed) return;
    const handler = target === "" ? this.#loop.accept(pipe, now) : this.#client.dial(now, pipe, target);
    if (handler !== undefined) pipe.attach(handler);
    else {
      const peer = target === "" ? "" : ", or the server is a kcptun and knows no named targets";
      pipe.fail(new TunnelError("ECONNREFUSED", `no more streams in this session (option streams)${peer}`));
    }
  }

  #expectAnswer(stream: TunnelStream, pipe: PipeSocket): void {
    const { connectTimeout } = this.#options;
    if (connectTimeout === 0) return;
    const timer = setTimeout(() => {
      if (this.report().some(({ receivedDatagrams }) => receivedDatagrams > 0)) return;
      pipe.fail(new TunnelError("ETIMEDOUT", `no answer from ${this.#options.config.remoteaddr} for ${connectTimeout} ms`));
    }, connectTimeout);
    stream.once("close", () => clearTimeout(timer));
  }

  async #close(): Promise<void> {
    while (this.#streams.size > 0 && !this.#destroyed)
      await new Promise((closed) => this.#streams.values().next().value!.once("close", closed));
    await settled(() => (this.#destroyed ? 0 : this.report().reduce((sum, { waitingSegments }) => sum + waitingSegments, 0)));
    this.destroy();
  }
}
