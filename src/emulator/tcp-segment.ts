/**
 * Segments of the modelled TCP as they lie on an emulated link: sized like real ones, so that rates and queues are true.
 *
 *   data  [ index u32 | payload … ]     padded in front to HEADER_BYTES (IPv4 20 + TCP 20 + timestamps 12)
 *   ack   [ next u32 | n u8 | n × (first u32, behind u32) | delivered serial u32 ]
 *
 * Segments are numbered instead of bytes: each index has its length once and for ever.
 */
export const HEADER_BYTES = 52;
export const MSS = 1448;
export const SEGMENT_BYTES_MAX = HEADER_BYTES + MSS;
/** With timestamps three blocks fit (RFC 2018). */
export const SACK_BLOCKS_MAX = 3;

const INDEX = 0;
const ACK_BLOCKS = 4;
const ACK_FIRST_BLOCK = 8;

export function writeData(view: DataView, index: number): void {
  view.setUint32(INDEX, index);
}

export function readIndex(view: DataView, at = 0): number {
  return view.getUint32(at + INDEX);
}

/** Writes an ACK of the contiguous `next` and of the blocks first…behind; answers its length. */
export function writeAck(view: DataView, next: number, blocks: readonly (readonly [number, number])[]): number {
  const n = Math.min(blocks.length, SACK_BLOCKS_MAX);
  view.setUint32(INDEX, next);
  view.setUint8(ACK_BLOCKS, n);
  for (let i = 0; i < n; i++) {
    view.setUint32(ACK_FIRST_BLOCK + i * 8, blocks[i]![0]);
    view.setUint32(ACK_FIRST_BLOCK + i * 8 + 4, blocks[i]![1]);
  }
  return HEADER_BYTES + (n > 0 ? 4 + 8 * n : 0);
}

export function readBlocks(view: DataView): [number, number][] {
  const n = Math.min(view.getUint8(ACK_BLOCKS), SACK_BLOCKS_MAX);
  return Array.from({ length: n }, (_, i) => [view.getUint32(ACK_FIRST_BLOCK + i * 8), view.getUint32(ACK_FIRST_BLOCK + i * 8 + 4)]);
}
