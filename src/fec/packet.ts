/**
 * The FEC packet of kcp-go, little endian.
 *
 *   0       4      6      8
 *   +-------+------+------+---------------- …
 *   | seqid | type | size | KCP packet          data shard   (type 0xf1), size = 2 + length of the KCP packet
 *   +-------+------+------+---------------- …
 *   | seqid | type | parity                     parity shard (type 0xf2), as long as the longest data shard of its group
 *   +-------+------+----------------------- …
 *                  |<-- shard: what the code covers, shorter ones as if padded with zeros
 *
 *   | seqid | f4 n | parity                     of a group that ended after n data shards, only between two ends of ours (encoder `long`)
 *
 *   group g of ds data and ps parity shards has the seqids g·(ds+ps) … ; they run from 0 to paws − 1 and start again,
 *   paws being the greatest multiple of ds+ps below 2^32.
 *
 * The type lies where a bare KCP packet has cmd (81…84) and frg, so the two are never taken for each other.
 * Source: kcptun.md sections 2.4 and 4.
 */
import type { Seq32 } from "../base/units.ts";

/** The FEC header, size field included. */
export const HEAD_BYTES = 8;
/** Where the shard starts in the packet. */
export const SHARD_OFFSET = 6;
/** The size field, which is part of the shard. */
export const SIZE_BYTES = 2;

export const TYPE_DATA = 0xf1;
export const TYPE_PARITY = 0xf2;
/**
 * Parity between two ends of ours: of a group of LONG_DATA + LONG_PARITY whose data ended early; the number of its data shards stands in the upper byte of the
 * type. The rest count as zeros, and their seqids are skipped.
 */
export const TYPE_SHORT = 0xf4;
export const LONG_DATA = 64;
export const LONG_PARITY = 32;
/** Out of band: since kcp-go 5.6.60, outside every group; kcptun never sends it. */
export const TYPE_OOB = 0xf3;

/** Most shards in a group: points of GF(2^8). */
export const SHARDS_MAX = 256;

export function readSeqid(view: DataView, start: number): Seq32 {
  return view.getUint32(start, true);
}

export function readType(view: DataView, start: number): number {
  return view.getUint16(start + 4, true);
}

export function writeHead(view: DataView, start: number, seqid: Seq32, type: number): void {
  view.setUint32(start, seqid, true);
  view.setUint16(start + 4, type, true);
}

/** The first seqid that is never used. */
export function pawsOf(groupShards: number): number {
  return Math.floor(0xffffffff / groupShards) * groupShards;
}
