/**
 * `longhaul/fec`: kcp-go's forward error correction: of each group of data and parity packets any `dataShards` suffice.
 *
 * ```ts
 * const encoder = new FecEncoder({ dataShards: 10, parityShards: 3, profile: "2026", packetBytesMax: 1500 });
 * const parity = encoder.encode(now, slot, view, 8, 8 + length);           // writes its header into the 8 bytes before the packet
 * for (let i = 0; i < parity; i++) send(encoder.parity(i, slot, view, 0)); // fetched before the next `encode`
 *
 * const decoder = new FecDecoder({ packetBytesMax: 1500 });                // finds the sender's group sizes by itself
 * if (decoder.receive(now, packet, view, 0, packet.length) === 1) take(packet.subarray(FecEncoder.headBytes));
 * for (let n; (n = decoder.recovered(into, intoView, 0)) > 0; ) take(into.subarray(0, n));
 * ```
 *
 * Packets are borrowed for the call; what is kept for repair is copied. `now` is in milliseconds. Damaged packets are counted in `stats`.
 */
export type { Bytes, Millis, Seq32 } from "../base/units.ts";
export { FecDecoder, type FecDecoderOptions, type FecDecoderStats, type FecKind } from "./decoder.ts";
export { FecEncoder, type FecEncoderOptions } from "./encoder.ts";
export * as fec from "./index.ts";
export { HEAD_BYTES, readSeqid, readType, SHARDS_MAX, TYPE_DATA, TYPE_OOB, TYPE_PARITY } from "./packet.ts";
