/**
 * HTTP served by node:http: the socket under the applications of `live/`, `metrics/` and `control/`, which are functions from Request to Response.
 */
import { chmodSync, unlinkSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { createAdaptorServer } from "@hono/node-server";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { Endpoint } from "./loop.ts";

/** Beside where to listen: port 0 = any free one; the path of a unix socket that nobody listens at any more is taken over. */
export interface HttpLimits {
  /** Most connections at once; further ones are closed at once and counted. */
  readonly connectionsMax?: number;
  /** A connection on which nothing moved for so long is closed. Longer than any request may wait. */
  readonly idleTimeout?: Millis;
  /** Permissions of a unix socket's file. */
  readonly mode?: number;
}

export type HttpOptions<At extends Endpoint = TcpEndpoint> = At & HttpLimits;

type TcpEndpoint = Exclude<Endpoint, { readonly path: string }>;

export interface HttpServer<At extends Endpoint = TcpEndpoint> {
  readonly local: At;
  readonly counters: { connectionsDropped: number };
  /** Ends listening, and every connection: idle ones at once, those with a request under way when it is answered or `patience` has passed. */
  close(patience?: Millis): Promise<void>;
}

type Fetch = (request: Request) => Response | Promise<Response>;

/** @throws HostError (as a rejection) when the address cannot be bound */
export function serveHttp(fetch: Fetch, options: HttpOptions): Promise<HttpServer>;
export function serveHttp(fetch: Fetch, options: HttpOptions<Endpoint>): Promise<HttpServer<Endpoint>>;
export async function serveHttp(fetch: Fetch, options: HttpOptions<Endpoint>): Promise<HttpServer<Endpoint>> {
  const { connectionsMax = 20_000, idleTimeout = 60_000 } = options;
  const server = createAdaptorServer({
    fetch,
    serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
  }) as Server;
  const counters = { connectionsDropped: 0 };
  server.maxConnections = connectionsMax;
  server.on("drop", () => counters.connectionsDropped++);
  server.setTimeout(idleTimeout);
  if ("path" in options && (await isForsaken(options.path))) unlinkSync(options.path);
  const local = await listen(server, options);
  if ("path" in local && options.mode !== undefined) chmodSync(local.path, options.mode);
  return { local, counters, close: (patience) => close(server, patience) };
}

function listen(server: Server, at: Endpoint): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const name = "path" in at ? at.path : `${at.host}:${at.port}`;
      reject(new HostError(error.code ?? "EUNKNOWN", error.syscall ?? "listen", name, error));
    });
    if ("path" in at) {
      server.listen({ path: at.path }, () => resolve({ path: at.path }));
      return;
    }
    // Without a host Node takes all addresses, those of IPv4 where there is no IPv6.
    server.listen(at.host === "::" ? { port: at.port } : { host: at.host, port: at.port }, () => {
      const address = server.address();
      resolve({ host: at.host, port: typeof address === "object" && address !== null ? address.port : at.port });
    });
  });
}

/** The file of a unix socket whose process has died. */
function isForsaken(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      settle(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => settle(error.code === "ECONNREFUSED"));
  });
}

/** Fast rather than small: a playlist shrinks tenfold at any level. */
export function gzip(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gzipSync(text, { level: 1 }));
}

/** How often it is looked for connections whose last request has been answered. */
const DRAIN_MS = 20;

function close(server: Server, patience: Millis = 0): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), DRAIN_MS);
    const end = setTimeout(() => server.closeAllConnections(), patience);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(end);
      resolve();
    });
    if (patience === 0) server.closeAllConnections();
  });
}
