/**
 * `longhaul/live`: RTMP in, low-latency HLS out, as `longhaul live` runs it.
 *
 * ```ts
 * const loop = new NodeLoop();
 * const origin = new Origin(liveConfig.parse({ channels: { show: "a-secret-key" } }), loop, silentLog);
 * origin.listen({ host: "0.0.0.0", port: 1935 });                          // encoders: rtmp://HOST/live/a-secret-key
 * await serveHttp(delivery(origin).fetch, { host: "::", port: 8080 });     // viewers: http://HOST:8080/live/show/…
 * ```
 *
 * `liveConfig` has the options of `longhaul live --help` with their defaults. `origin.close()`, then `loop.stop()` ends it.
 */
export { HostError } from "../base/errors.ts";
export { type HttpOptions, type HttpServer, serveHttp } from "../host/http.ts";
export { createLog, type Log, silentLog } from "../host/log.ts";
export type { Endpoint, Listener, Loop } from "../host/loop.ts";
export { NodeLoop } from "../host/loop-node.ts";
export { type LiveConfig, liveConfig } from "./config.ts";
export { delivery } from "./delivery.ts";
export * as live from "./index.ts";
export { Origin } from "./origin.ts";
