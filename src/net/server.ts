/**
 * The far end of a tunnel: clients of ours and kcptun clients open streams, each of which is a connection for this program.
 *
 *   createServer(options, listener) ─ listen ─▶ 'listening'      a stream ─▶ 'connection', as of net.Server
 */
import { EventEmitter } from "node:events";
import type { HostError } from "../base/errors.ts";
import { primitives } from "../host/crypto.ts";
import { formatHostPort } from "../host/ip-address.ts";
import { silentLog } from "../host/log.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import type { SessionReport } from "../tunnel/report.ts";
import { TunnelServer } from "../tunnel/server.ts";
import { type CheckedServer, checkServer, type ServerOptions } from "./options.ts";
import { PipeSocket } from "./pipe-socket.ts";
import { settled } from "./settled.ts";
import { StreamLoop } from "./stream-loop.ts";
import { TunnelStream } from "./tunnel-stream.ts";

export interface ListenOptions {
  /** 0, the default: any free one; see `address`. */
  readonly port?: number;
  /** Literal address; all addresses by default. */
  readonly host?: string;
  /** Closes the server. */
  readonly signal?: AbortSignal;
}

export interface ServerEvents {
  listening: [];
  connection: [stream: TunnelStream];
  /** A stream was refused because `maxConnections` were open. */
  drop: [];
  /** It could not listen. */
  error: [error: HostError];
  close: [];
}

/** @throws ConfigError for wrong options */
export function createServer(options: ServerOptions, listener?: (stream: TunnelStream) => void): Server {
  const server = new Server(checkServer(options), options);
  return listener === undefined ? server : server.on("connection", listener);
}

export class Server extends EventEmitter<ServerEvents> implements AsyncDisposable {
  readonly #options: CheckedServer;
  readonly #log;
  readonly #streams = new Set<TunnelStream>();
  #loop: StreamLoop | undefined;
  #server: TunnelServer | undefined;
  #closing: Promise<void> | undefined;

  /** Not for users: `createServer` makes it. */
  constructor(checked: CheckedServer, { log = silentLog }: ServerOptions) {
    super();
    this.#options = checked;
    this.#log = log;
  }

  /** Emits 'listening', or 'error' when the address cannot be bound. Once only. @throws ConfigError for a wrong address */
  listen({ port = 0, host = "", signal }: ListenOptions = {}, listening?: () => void): this {
    if (this.#loop !== undefined) throw new Error("a server listens once");
    signal?.throwIfAborted();
    const loop = new StreamLoop((handler, from, target) => this.#dialled(loop, handler, from, target));
    const config = this.#options.config(host === "" ? `:${port}` : formatHostPort(host, port));
    if (listening !== undefined) this.once("listening", listening);
    this.#loop = loop;
    try {
      this.#server = new TunnelServer(config, { loop, log: this.#log, primitives });
    } catch (error) {
      loop.stop();
      if ((error as Error).name !== "HostError") throw error;
      process.nextTick(() => this.emit("error", error as HostError));
      return this;
    }
    const abort = (): void => void this.close();
    signal?.addEventListener("abort", abort, { once: true });
    this.once("close", () => signal?.removeEventListener("abort", abort));
    process.nextTick(() => this.emit("listening"));
    return this;
  }

  /** Where it listens; null before and after, as with net.Server. */
  address(): { readonly address: string; readonly port: number; readonly family: "IPv4" | "IPv6" } | null {
    if (this.#server === undefined) return null;
    const { host, port } = this.#server.endpoint.socket.local;
    return { address: host, port, family: host.includes(":") ? "IPv6" : "IPv4" };
  }

  /** Streams that have not closed yet. */
  get connections(): number {
    return this.#streams.size;
  }

  /** What the sessions are doing now. */
  report(): SessionReport[] {
    return this.#loop === undefined ? [] : (this.#server?.report(this.#loop.now()) ?? []);
  }

  /** Takes no new streams, waits until those there are have closed and the clients have everything, then frees the socket. */
  close(closed?: () => void): Promise<void> {
    if (closed !== undefined) this.once("close", closed);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends everything at once: streams close with `error`, or without one. */
  destroy(error?: Error): void {
    if (this.#server === undefined || this.#loop === undefined) return;
    for (const stream of this.#streams) stream.destroy(error);
    this.#server.stop(this.#loop.now());
    this.#loop.round();
    this.#loop.stop();
    this.#server = undefined;
    process.nextTick(() => this.emit("close"));
  }

  /** A client has opened a stream; from a round. */
  #dialled(loop: StreamLoop, handler: TcpHandler, from: string, target: string): TcpSocket {
    const pipe = new PipeSocket(loop.later, from, this.#options.highWaterMark);
    pipe.attach(handler);
    const full = this.#streams.size >= this.#options.maxConnections;
    if (full || this.#closing !== undefined || this.#server === undefined) {
      if (full) process.nextTick(() => this.emit("drop"));
      loop.later((now) => handler.closed(now, "ECONNREFUSED"));
      return pipe;
    }
    const stream = new TunnelStream(pipe, this.#options, target, this.#server.userOf(from));
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    loop.later((now) => handler.connected(now));
    process.nextTick(() => this.emit("connection", stream));
    return pipe;
  }

  async #close(): Promise<void> {
    while (this.#streams.size > 0) await new Promise((closed) => this.#streams.values().next().value!.once("close", closed));
    await settled(() => this.report().reduce((sum, { waitingSegments }) => sum + waitingSegments, 0));
    this.destroy();
  }
}
