/**
 * `longhaul/net`: streams through a tunnel, with the manners of node:net. The other end may be a program of ours, this library, or a kcptun.
 *
 * ```ts
 * const tunnel = connect({ host: "far.example", port: 29900, key: "secret" });
 * const stream = tunnel.open();                                            // a node:stream Duplex to the server's target
 * stream.end("hello");
 * stream.pipe(process.stdout);
 * stream.on("error", (error) => error.code);                               // a TunnelError: ETIMEDOUT, ECONNRESET, …
 * await tunnel.close();                                                    // when its streams have closed and all was acknowledged
 *
 * const metrics = tunnel.open({ target: "metrics" });                      // one of the names a server offers
 *
 * const server = createServer({ key: "secret" }, (stream) => stream.pipe(stream)).listen({ port: 29900 });
 * ```
 *
 * Other options are those of `longhaul client` and `longhaul server` under the same names, with kcptun's defaults. A kcptun at the other end
 * needs the same crypt, smuxver and nocomp; one before 2025-11 is met by `compat: "2021"`. Wrong options throw a ConfigError that names the key.
 */
export { ConfigError, HostError } from "../base/errors.ts";
export type { Bytes, Millis } from "../base/units.ts";
export type { Log } from "../host/log.ts";
export type { SessionReport } from "../tunnel/report.ts";
export * as net from "./index.ts";
export type { ConnectOptions, ServerOptions, ServerUser } from "./options.ts";
export { createServer, type ListenOptions, Server, type ServerEvents } from "./server.ts";
export { connect, type OpenOptions, Tunnel } from "./tunnel.ts";
export { TunnelError, type TunnelErrorCode } from "./tunnel-error.ts";
export { type StreamOptions, TunnelStream } from "./tunnel-stream.ts";
