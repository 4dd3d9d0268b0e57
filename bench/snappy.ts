/**
 * How fast is the snappy layer of a session? `node bench/snappy.ts`
 * Prints MB/s of uncompressed data (median of several runs) for a smux frame of each length, and what is left of it: the block codec
 * alone, the checksum, and the whole framing in both directions.
 */

import { BLOCK_BYTES, compressedBytesMax } from "../src/snappy/block.ts";
import { BlockDecoder } from "../src/snappy/block-decoder.ts";
import { BlockEncoder } from "../src/snappy/block-encoder.ts";
import { crc32c } from "../src/snappy/crc32c.ts";
import { SnappyDecoder } from "../src/snappy/decoder.ts";
import { SnappyEncoder } from "../src/snappy/encoder.ts";
import { type SampleKind, sample } from "../src/snappy/testing/samples.ts";

const RUNS = 7;
const RUN_BYTES = 16_000_000;
/** Frames lie behind one another in one buffer, as in a session. */
const BUFFER_BYTES = 1 << 20;

console.log("              bytes    left   compress  uncompress   crc32c    encode    decode   MB/s");
for (const kind of ["text", "words", "random"] as SampleKind[]) for (const size of [1306, 8200, BLOCK_BYTES]) measure(kind, size);

function measure(kind: SampleKind, size: number): void {
  const input = sample(kind, BUFFER_BYTES);
  const frames = Math.floor(BUFFER_BYTES / size);
  const room = compressedBytesMax(size) + 32;
  const blocks = new Uint8Array(frames * room);
  const blockBytes = new Int32Array(frames);
  const chunks = new Uint8Array(frames * room);
  const chunkBytes = new Int32Array(frames);
  const output = new Uint8Array(BLOCK_BYTES);
  const blockEncoder = new BlockEncoder();
  const blockDecoder = new BlockDecoder();
  const encoder = new SnappyEncoder();
  const decoder = new SnappyDecoder();
  // The identifier, once, so that the same chunks can be read again and again.
  decoder.receive(chunks, 0, encoder.encode(input, 0, 1, chunks, 0));

  const compress = speed(frames, size, (i) => {
    blockBytes[i] = blockEncoder.compress(input, i * size, (i + 1) * size, blocks, i * room, (i + 1) * room);
  });
  const uncompress = speed(frames, size, (i) => {
    blockDecoder.uncompress(blocks, i * room, i * room + blockBytes[i]!, output, 0, size);
  });
  const checksum = speed(frames, size, (i) => {
    crc32c(input, i * size, (i + 1) * size);
  });
  const encode = speed(frames, size, (i) => {
    chunkBytes[i] = encoder.encode(input, i * size, (i + 1) * size, chunks, i * room);
  });
  const decode = speed(frames, size, (i) => {
    decoder.receive(chunks, i * room, i * room + chunkBytes[i]!);
  });
  if (decoder.failed !== undefined) throw decoder.failed;
  const left = chunkBytes.reduce((sum, n) => sum + n, 0) / (frames * size);
  const columns = [compress, uncompress, checksum, encode, decode].map((value) => value.toFixed(0).padStart(10)).join("");
  console.log(`${kind.padEnd(11)} ${String(size).padStart(7)} ${(100 * left).toFixed(0).padStart(6)}% ${columns}`);
}

/** MB/s of `each` over all frames in turn. */
function speed(frames: number, size: number, each: (i: number) => void): number {
  const rounds = Math.ceil(RUN_BYTES / (frames * size));
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    for (let round = 0; round < rounds; round++) for (let i = 0; i < frames; i++) each(i);
    runs.push((rounds * frames * size) / (performance.now() - begun) / 1000);
  }
  return runs.sort((a, b) => a - b)[runs.length >> 1]!;
}
