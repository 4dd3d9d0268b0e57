import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { FecDecoder } from "./decoder.ts";
import { FecEncoder } from "./encoder.ts";

const packetBytesMax = 1500;

/** Sends groups of `sizes` data shards with `rows` parity each, loses what `lost` says; answers how many data shards did not come through. */
function missing(sizes: readonly number[], rows: number, lost: (group: number, shard: number) => boolean): number {
  const encoder = new FecEncoder({ dataShards: 10, parityShards: 3, profile: "2026", packetBytesMax });
  const decoder = new FecDecoder({ packetBytesMax });
  const prng = new Prng(5);
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const expected = new Set<string>();
  const give = (start: number, end: number): void => {
    if (decoder.receive(0, bytes, view, start, end) === 1) expected.delete(Buffer.from(bytes.subarray(start + 8, end)).toString("hex"));
    for (let n = decoder.recovered(bytes, view, 2048); n > 0; n = decoder.recovered(bytes, view, 2048)) {
      expected.delete(Buffer.from(bytes.subarray(2048, 2048 + n)).toString("hex"));
    }
  };
  encoder.lengthen();
  for (const [group, size] of sizes.entries()) {
    encoder.rows = rows;
    let ready = 0;
    for (let shard = 0; shard < size; shard++) {
      const length = 30 + prng.below(1000);
      for (let i = 0; i < length; i++) bytes[100 + i] = prng.below(256);
      expected.add(Buffer.from(bytes.subarray(100, 100 + length)).toString("hex"));
      ready = encoder.encode(0, bytes, view, 100, 100 + length);
      if (!lost(group, shard)) give(92, 100 + length);
    }
    if (encoder.open > 0) ready = encoder.close(rows);
    assert.equal(ready, rows);
    for (let row = 0; row < ready; row++) {
      const length = encoder.parity(row, bytes, view, 100);
      if (!lost(group, size + row)) give(100, 100 + length);
    }
  }
  assert.equal(decoder.stats.errors, 0);
  return expected.size;
}

test("groups that end early are repaired like whole ones, whatever their size", () => {
  const sizes = [5, 1, 64, 17, 3, 63, 2];
  // The shape is told by the first parity shard: the first group cannot be repaired by what came before it.
  assert.equal(
    missing(sizes, 3, (group, shard) => group > 0 && shard < 3 && shard < sizes[group]!),
    0,
  );
  assert.equal(
    missing(sizes, 3, (group, shard) => group > 0 && (shard === 0 || shard === sizes[group]!)),
    0,
  );
});

test("more loss than parity is not repaired", () => {
  assert.equal(
    missing([4, 10, 10], 2, (group, shard) => group === 2 && shard < 3),
    3,
  );
});

test("fewer parity shards than the shape's are sent, and repair as many shards", () => {
  const encoder = new FecEncoder({ dataShards: 4, parityShards: 3, profile: "2021", packetBytesMax });
  const decoder = new FecDecoder({ packetBytesMax, dataShards: 4, parityShards: 3 });
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  encoder.rows = 1;
  let ready = 0;
  for (let shard = 0; shard < 4; shard++) {
    bytes.fill(shard + 1, 100, 200);
    ready = encoder.encode(0, bytes, view, 100, 200);
    if (shard !== 2) decoder.receive(0, bytes, view, 92, 200);
  }
  assert.equal(ready, 1);
  decoder.receive(0, bytes, view, 100, 100 + encoder.parity(0, bytes, view, 100));
  assert.equal(decoder.recovered(bytes, view, 2048), 100);
  assert.equal(bytes[2048], 3);
});
