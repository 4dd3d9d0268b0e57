/**
 * Chunks of the snappy framing format (snappy `framing_format.txt`), which kcptun lays around a session's smux stream unless --nocomp.
 *
 *      0      1            4                8
 *     +------+------------+----------------+--------------------
 *     | type | length LE  | masked CRC-32C | data
 *     +------+------------+----------------+--------------------
 *              of all that  of the uncompressed data
 *              follows
 *
 *     0x00         data is a block (block.ts)
 *     0x01         data is stored
 *     0xff         stream identifier "sNaPpY", no CRC: the first chunk of every stream, and allowed again later
 *     0x80…0xfe    skipped by those who do not know them
 *     0x02…0x7f    fatal to those who do not know them
 *
 * Each chunk stands for at most 65536 bytes of data.
 *
 * Deviation, shared with the Go library: a chunk that is longer than any encoder makes of 65536 bytes is refused, also a skippable one.
 */
import type { Bytes } from "../base/units.ts";
import { BLOCK_BYTES, compressedBytesMax } from "./block.ts";

export const CHUNK_COMPRESSED = 0x00;
export const CHUNK_STORED = 0x01;
export const CHUNK_SKIPPABLE_FIRST = 0x80;
export const CHUNK_STREAM_IDENTIFIER = 0xff;

/** Type and length. */
export const CHUNK_HEADER_BYTES: Bytes = 4;
export const CHECKSUM_BYTES: Bytes = 4;

/** "sNaPpY" */
export const STREAM_IDENTIFIER: Uint8Array = Uint8Array.of(0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);

/** Most bytes behind a chunk's header. */
export const CHUNK_BODY_BYTES_MAX: Bytes = CHECKSUM_BYTES + compressedBytesMax(BLOCK_BYTES);
