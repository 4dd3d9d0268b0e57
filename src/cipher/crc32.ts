/**
 * CRC-32 (ISO 3309, polynomial 0xEDB88320 reflected), sixteen bytes a step ("slicing": table k holds the CRC of a byte followed by k zeros).
 */
const STRIDE = 16;
const tables = makeTables();

/** CRC-32 of view[start…end), 0…2^32−1. */
export function crc32(view: DataView, start: number, end: number): number {
  const t = tables;
  let crc = -1;
  let at = start;
  for (; at + STRIDE <= end; at += STRIDE) {
    const a = view.getInt32(at, true) ^ crc;
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    crc =
      t[3840 + (a & 255)]! ^
      t[3584 + ((a >>> 8) & 255)]! ^
      t[3328 + ((a >>> 16) & 255)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 255)]! ^
      t[2560 + ((b >>> 8) & 255)]! ^
      t[2304 + ((b >>> 16) & 255)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 255)]! ^
      t[1536 + ((c >>> 8) & 255)]! ^
      t[1280 + ((c >>> 16) & 255)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 255)]! ^
      t[512 + ((d >>> 8) & 255)]! ^
      t[256 + ((d >>> 16) & 255)]! ^
      t[d >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t[(crc ^ view.getUint8(at)) & 255]!;
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const t = new Int32Array(256 * STRIDE);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    t[i] = crc;
  }
  for (let i = 256; i < t.length; i++) {
    const shorter = t[i - 256]!;
    t[i] = (shorter >>> 8) ^ t[shorter & 255]!;
  }
  return t;
}
