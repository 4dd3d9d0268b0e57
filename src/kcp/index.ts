/**
 * `longhaul/kcp`: KCP as kcp-go runs it, without socket or clock: reliable, ordered bytes over datagrams.
 *
 * ```ts
 * const kcp = new Kcp({ conv: 7, mtu: 1350, sndWnd: 128, rcvWnd: 512, nodelay: 1, interval: 10, resend: 2, nc: 1, profile: "2026" });
 * kcp.send(now, bytes, 0, bytes.length);                                  // copied; 0 = full, ask again when `writable`
 * for (let n; (n = kcp.transmit(now, packet, view, 0)) > 0; ) socket.send(packet.slice(0, n));
 * kcp.receive(now, datagram, viewOfDatagram, 0, datagram.length, true);   // borrowed until the call returns
 * const length = kcp.read(now, into, 0, into.length);                     // 0 = nothing yet
 * ```
 *
 * `now` is in milliseconds of any clock that never goes back, the same one in every call. After each call that takes `now`, drain `transmit`, then
 * call `advance` at `deadline()`. Both ends need the same `conv`; modes of kcptun are nodelay/interval/resend/nc = 0/40/2/1 (normal), 0/30/2/1 (fast),
 * 1/20/2/1 (fast2), 1/10/2/1 (fast3). Wrong options are a bug of the caller and assert; damaged packets are counted in `stats` and dropped.
 */
export type { Bytes, Millis, Seq32 } from "../base/units.ts";
export { NEVER } from "../base/units.ts";
export * as kcp from "./index.ts";
export { Kcp, SEND_BYTES_MAX } from "./kcp.ts";
export type { KcpOptions } from "./options.ts";
export { HEADER_BYTES, looksLikeKcp, PACKET_BYTES_MAX, readConv, readFirstSn, WND_MAX } from "./segment.ts";
export { SegmentStore } from "./segment-store.ts";
export type { KcpStats } from "./stats.ts";
