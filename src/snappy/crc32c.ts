/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) with the mask of the snappy framing format: by a kernel where the bytes lie in the kernels' memory,
 * eight bytes a step elsewhere.
 *
 *   CRC(A ‖ B) = CRC(A) past |B| zeros ⊕ CRC(B)        so that a kernel for 2,048 bytes does for all
 *
 * The mask keeps the checksum of data that itself contains checksums from being trivial: rotate right by 15, add a constant.
 */
import { CASTAGNOLI, CRC_BYTES_MAX } from "../kernel/crc32.ts";
import { isInside, type Kernels, kernels } from "../kernel/kernels.ts";

const MASK_DELTA = 0xa282ead8;

/** tables[256 * k + b]: what byte b does to the register when k more bytes follow it. */
const tables = slicingTables();
const pastTables = zerosTables();

/** Masked CRC-32C of bytes[start…end), as the int32 that `DataView.getInt32(…, true)` reads from a chunk. */
export function crc32cMasked(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) | 0;
}

/** CRC-32C of bytes[start…end) as an int32. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  if (isInside(bytes)) return crc32cInside(kernels()!, start, end);
  const t = tables;
  let crc = -1;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc;
}

/** CRC-32C of a range of the kernels' memory as an int32. */
export function crc32cInside(set: Kernels, start: number, end: number): number {
  const t = pastTables;
  let at = start + ((end - start) % CRC_BYTES_MAX);
  let crc = at > start ? set.run.crc32c(start, at) : 0;
  for (; at < end; at += CRC_BYTES_MAX) {
    const past = t[crc & 255]! ^ t[256 + ((crc >>> 8) & 255)]! ^ t[512 + ((crc >>> 16) & 255)]! ^ t[768 + (crc >>> 24)]!;
    crc = past ^ set.run.crc32c(at, at + CRC_BYTES_MAX);
  }
  return crc;
}

/** pastTables[256 · k + b]: what byte k of a CRC, of value b, becomes past CRC_BYTES_MAX zeros. */
function zerosTables(): Int32Array {
  const t = new Int32Array(4 * 256);
  for (let i = 0; i < t.length; i++) {
    let crc = (i & 255) << (8 * (i >> 8));
    for (let zeros = CRC_BYTES_MAX; zeros > 0; zeros--) crc = tables[crc & 255]! ^ (crc >>> 8);
    t[i] = crc;
  }
  return t;
}

function slicingTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
    t[b] = crc;
  }
  for (let i = 256; i < t.length; i++) {
    const shorter = t[i - 256]!;
    t[i] = t[shorter & 255]! ^ (shorter >>> 8);
  }
  return t;
}
