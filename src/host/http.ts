/**
 * HTTP served by node:http: the socket under the applications of `live/` and `control/`, which are functions from Request to Response.
 */
import type { Server } from "node:http";
import { gzipSync } from "node:zlib";
import { createAdaptorServer } from "@hono/node-server";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Most connections at once; further ones are closed at once and counted. */
  readonly connectionsMax?: number;
  /** A connection on which nothing moved for so long is closed. Longer than any request may wait. */
  readonly idleTimeout?: Millis;
}

export interface HttpServer {
  readonly local: { readonly host: string; readonly port: number };
  readonly counters: { connectionsDropped: number };
  /** Ends listening and every connection, idle or not. */
  close(): Promise<void>;
}

/** @throws HostError (as a rejection) when the address cannot be bound */
export function serveHttp(fetch: (request: Request) => Response | Promise<Response>, options: HttpOptions): Promise<HttpServer> {
  const { host, port, connectionsMax = 20_000, idleTimeout = 60_000 } = options;
  const server = createAdaptorServer({
    fetch,
    serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
  }) as Server;
  const counters = { connectionsDropped: 0 };
  server.maxConnections = connectionsMax;
  server.on("drop", () => counters.connectionsDropped++);
  server.setTimeout(idleTimeout);
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new HostError(error.code ?? "EUNKNOWN", error.syscall ?? "listen", `${host}:${port}`, error));
    });
    // Without a host Node takes all addresses, those of IPv4 where there is no IPv6.
    server.listen(host === "::" ? { port } : { host, port }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      resolve({ local: { host, port: bound }, counters, close: () => close(server) });
    });
  });
}

/** Fast rather than small: a playlist shrinks tenfold at any level. */
export function gzip(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gzipSync(text, { level: 1 }));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
