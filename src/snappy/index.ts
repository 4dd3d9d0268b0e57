/**
 * `longhaul/snappy`: snappy's framing format, piece by piece, and its blocks.
 *
 * ```ts
 * const length = new SnappyEncoder().encode(bytes, 0, bytes.length, into, 0);   // into has SnappyEncoder.encodedBytesMax(bytes.length) of room
 *
 * const decoder = new SnappyDecoder();
 * for (let at = 0; at < input.length && decoder.failed === undefined; ) {
 *   at += decoder.receive(input, at, input.length);
 *   if (decoder.end > decoder.start) take(decoder.bytes.subarray(decoder.start, decoder.end));   // borrowed until the next receive
 * }
 * ```
 */
export { ProtocolError } from "../base/errors.ts";
export type { Bytes } from "../base/units.ts";
export { BLOCK_BYTES, compressedBytesMax } from "./block.ts";
export { BlockDecoder } from "./block-decoder.ts";
export { BlockEncoder } from "./block-encoder.ts";
export { SnappyDecoder, type SnappyDecoderStats } from "./decoder.ts";
export { SnappyEncoder, type SnappyEncoderStats } from "./encoder.ts";
export * as snappy from "./index.ts";
