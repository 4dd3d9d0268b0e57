/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) with the mask of the snappy framing format, eight bytes a step.
 *
 * The mask keeps the checksum of data that itself contains checksums from being trivial: rotate right by 15, add a constant.
 */
const POLYNOMIAL_REFLECTED = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;

/** tables[256 * k + b]: what byte b does to the register when k more bytes follow it. */
const tables = slicingTables();

/** Masked CRC-32C of bytes[start…end), as the int32 that `DataView.getInt32(…, true)` reads from a chunk. */
export function crc32cMasked(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) | 0;
}

/** CRC-32C of bytes[start…end) as an int32. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
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

function slicingTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0);
    t[b] = crc;
  }
  for (let i = 256; i < t.length; i++) {
    const shorter = t[i - 256]!;
    t[i] = t[shorter & 255]! ^ (shorter >>> 8);
  }
  return t;
}
