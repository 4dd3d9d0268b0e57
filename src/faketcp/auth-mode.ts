/**
 * udp2raw's checks of a packet: a checksum of the plain text that is encrypted with it, or, hmac_sha1, a MAC of the ciphertext.
 * Only hmac_sha1 keeps out somebody who knows the format. Source: reference udp2raw.md section 4.
 */
import { isInside, kernels } from "../kernel/kernels.ts";
import { MD5_BYTES, MD5_SCRATCH_BYTES, Md5Lanes } from "../kernel/md5-lanes.ts";
import type { Checksum } from "./checksum.ts";
import type { DirectionKeys } from "./keys.ts";
import type { Mac, Primitives } from "./primitives.ts";
import type { Ranges } from "./ranges.ts";

export const authModes = ["hmac_sha1", "md5", "crc32", "simple", "none"] as const;
export type AuthMode = (typeof authModes)[number];

export interface Auth {
  /** Length of what is appended. */
  readonly bytes: number;
  /** Of the ciphertext, so that nothing is decrypted that is not genuine; otherwise of the plain text, and encrypted. */
  readonly outside: boolean;
  /** Writes the check of bytes[start…end) behind it. */
  readonly write: (bytes: Uint8Array, start: number, end: number) => void;
  /** Whether the check that ends at `end` is that of what precedes it; end − start ≥ `bytes`. */
  readonly matches: (bytes: Uint8Array, start: number, end: number) => boolean;
  /** `write` for every range, whose ends are moved behind the check. */
  readonly writeAll: (ranges: Ranges) => void;
  /** `matches` for every range: its end is moved before the check, or to −1 when that is wrong or missing. */
  readonly openAll: (ranges: Ranges) => void;
}

/** `key` is that of the direction. */
export function authOf(mode: AuthMode, key: DirectionKeys, primitives: Primitives, crc32: Checksum): Auth {
  switch (mode) {
    case "hmac_sha1":
      return auth(20, true, primitives.hmacSha1(key.hmac));
    case "md5":
      return withMd5Lanes(auth(MD5_BYTES, false, primitives.md5));
    case "crc32":
      return auth(4, false, (bytes, start, end, at) => writeU32(bytes, at, crc32(bytes, start, end)));
    case "simple":
      return auth(8, false, simple);
    case "none":
      return auth(0, false, () => undefined);
  }
}

function auth(length: number, outside: boolean, mac: Mac): Auth {
  // At the end of a buffer there may be no room behind a packet: what is computed for comparison goes here, with the packet before it.
  let scratch = new Uint8Array(new ArrayBuffer(4096));
  const matches: Auth["matches"] = (bytes, start, end) => {
    if (length === 0) return true;
    const text = end - length;
    const n = text - start;
    if (n + length > scratch.length) scratch = new Uint8Array(new ArrayBuffer(n + length));
    scratch.set(bytes.subarray(start, text));
    mac(scratch, 0, n, n);
    return same(scratch, n, bytes, text, length);
  };
  return {
    bytes: length,
    outside,
    write: (bytes, start, end) => mac(bytes, start, end, end),
    matches,
    writeAll: (ranges) => {
      if (length === 0) return;
      for (let i = 0; i < ranges.length; i++) {
        const end = ranges.end[i]!;
        if (end < 0) continue;
        mac(ranges.bytes, ranges.start[i]!, end, end);
        ranges.end[i] = end + length;
      }
    },
    openAll: ({ bytes, start, end, length: count }) => {
      for (let i = 0; i < count; i++) {
        if (end[i]! < 0) continue;
        end[i] = end[i]! - start[i]! >= length && matches(bytes, start[i]!, end[i]!) ? end[i]! - length : -1;
      }
    },
  };
}

/** Batches in the kernels' memory go several packets at a time. */
function withMd5Lanes(one: Auth): Auth {
  const set = kernels();
  if (set === undefined) return one;
  const lanes = new Md5Lanes(set);
  const scratch = set.scratch + MD5_SCRATCH_BYTES;
  return {
    ...one,
    writeAll: (ranges) => {
      if (!isInside(ranges.bytes)) return one.writeAll(ranges);
      for (let i = 0; i < ranges.length; i++) {
        const end = ranges.end[i]!;
        if (end < 0) continue;
        lanes.add(ranges.start[i]!, end, end);
        ranges.end[i] = end + MD5_BYTES;
      }
      lanes.finish();
    },
    openAll: (ranges) => {
      const { bytes, start, end, length } = ranges;
      if (!isInside(bytes)) return one.openAll(ranges);
      for (let first = 0; first < length; first += CHECKED_AT_ONCE) {
        const last = Math.min(first + CHECKED_AT_ONCE, length);
        for (let i = first; i < last; i++) {
          end[i]! -= MD5_BYTES;
          if (end[i]! >= start[i]!) lanes.add(start[i]!, end[i]!, scratch + (i - first) * MD5_BYTES);
          else end[i] = -1;
        }
        lanes.finish();
        for (let i = first; i < last; i++) {
          if (end[i]! >= 0 && !same(bytes, scratch + (i - first) * MD5_BYTES, bytes, end[i]!, MD5_BYTES)) end[i] = -1;
        }
      }
    },
  };
}

/** In a time that does not depend on where they differ. */
function same(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= a[aAt + i]! ^ b[bAt + i]!;
  return difference === 0;
}

/** Tuning: packets whose digests are computed before they are compared. */
const CHECKED_AT_ONCE = 64;

/** Two string hashes, djb2 with xor and sdbm. */
const simple: Mac = (bytes, start, end, at) => {
  let djb2 = 5381;
  let sdbm = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    djb2 = (Math.imul(djb2, 33) ^ byte) | 0;
    sdbm = (byte + (sdbm << 6) + (sdbm << 16) - sdbm) | 0;
  }
  writeU32(bytes, at, djb2);
  writeU32(bytes, at + 4, sdbm);
};

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
