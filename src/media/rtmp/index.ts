/**
 * `longhaul/rtmp`: RTMP without a socket: the server's side of an encoder's connection, and a publisher.
 *
 * ```ts
 * const server = new RtmpServer({ random });                               // 1528 random bytes
 * server.receive(now, bytes, 0, n);                                        // copied as far as it is kept
 * for (let event; (event = server.event()) !== undefined; ) {
 *   if (event.kind === "publish") event.key === secret ? server.accept(now) : server.refuse(now, statusCode.badName, "unknown stream key");
 *   else if (event.kind === "media") flv.receive(event.message.type, event.message.timestamp, event.message.payload, Date.now());
 * }
 * for (let n; (n = server.transmit(out, 0, out.length)) > 0; ) socket.write(out.slice(0, n));
 * ```
 *
 * `now` in milliseconds; call `advance` at `deadline()`. Payloads belong to the taker. What is held for a peer is bounded by `limits`, whose hits
 * `stats` counts; a peer that breaks the protocol ends with the event "failed".
 */
export { ProtocolError } from "../../base/errors.ts";
export type { Bytes, Millis } from "../../base/units.ts";
export { type Amf0, type Amf0Date, type Amf0Object, Amf0Reader, amf0Object } from "./amf0.ts";
export { statusCode } from "./command.ts";
export type { PublisherEvent, RtmpEvent } from "./event.ts";
export { NOISE_BYTES } from "./handshake.ts";
export * as rtmp from "./index.ts";
export { defaultLimits, type RtmpLimits, type RtmpStats } from "./limits.ts";
export { type Message, messageType } from "./message.ts";
export { type Metadata, parseMetadata } from "./metadata.ts";
export { RtmpPublisher, type RtmpPublisherOptions } from "./publisher.ts";
export { RtmpServer, type RtmpServerOptions } from "./server.ts";
