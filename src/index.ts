/**
 * `longhaul`: all doors of the library at once, each as a namespace. Each is also a module by itself, which loads less: `longhaul/kcp`, `longhaul/fec`, …
 *
 * ```ts
 * import { kcp } from "longhaul";
 * const session = new kcp.Kcp({ … });
 * ```
 */
export * as cipher from "./cipher/index.ts";
export * as emulator from "./emulator/index.ts";
export * as fec from "./fec/index.ts";
export * as gcc from "./gcc/index.ts";
export * as crypto from "./host/crypto.ts";
export * as kcp from "./kcp/index.ts";
export * as live from "./live/index.ts";
export * as aac from "./media/aac/index.ts";
export * as cmaf from "./media/cmaf/index.ts";
export * as flv from "./media/flv/index.ts";
export * as h264 from "./media/h264/index.ts";
export * as hls from "./media/hls/index.ts";
export * as rtmp from "./media/rtmp/index.ts";
export * as rtp from "./media/rtp/index.ts";
export * as net from "./net/index.ts";
export * as qpp from "./qpp/index.ts";
export * as smux from "./smux/index.ts";
export * as snappy from "./snappy/index.ts";
