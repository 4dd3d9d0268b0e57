/** The snappy stream of the real encoder: decoded, and made again byte for byte. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SnappyDecoder } from "../../src/snappy/decoder.ts";
import { SnappyEncoder } from "../../src/snappy/encoder.ts";
import { readVector, vectorsMissing } from "./read.ts";

interface Entry {
  readonly in?: string;
  readonly in_len: number;
  readonly in_sha256: string;
  readonly out_len: number;
  readonly out_sha256: string;
}

const CHUNK_DATA_BYTES_MAX = 65_536;

function vectorBytes(n: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < n; i++) blocks.push(createHash("sha256").update(`kcptun-vector-${i}`).digest());
  return Buffer.concat(blocks).subarray(0, n);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("one stream of six writes, as the Go library makes it", { skip: vectorsMissing }, () => {
  const { entries } = readVector<{ entries: readonly Entry[] }>("kcptun/kat/snappy_stream.json");
  const encoder = new SnappyEncoder();
  const decoder = new SnappyDecoder();
  const into = new Uint8Array(SnappyEncoder.encodedBytesMax(CHUNK_DATA_BYTES_MAX));
  for (const [i, entry] of entries.entries()) {
    const input =
      entry.in !== undefined ? Buffer.from(entry.in, "hex") : i === 3 ? Buffer.from("kcptun ".repeat(3000)) : vectorBytes(70_000);
    assert.equal(sha256(input), entry.in_sha256);
    // What is longer than a chunk may hold takes several.
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < input.length; at += CHUNK_DATA_BYTES_MAX) {
      const end = Math.min(input.length, at + CHUNK_DATA_BYTES_MAX);
      chunks.push(into.slice(0, encoder.encode(input, at, end, into, 0)));
    }
    const output = Buffer.concat(chunks);
    assert.deepEqual([output.length, sha256(output)], [entry.out_len, entry.out_sha256], `entry ${i}`);
    const decoded: Uint8Array[] = [];
    for (let at = 0; at < output.length; ) {
      at += decoder.receive(output, at, output.length);
      decoded.push(decoder.bytes.slice(decoder.start, decoder.end));
    }
    assert.equal(decoder.failed, undefined);
    assert.equal(sha256(Buffer.concat(decoded)), entry.in_sha256);
  }
});
