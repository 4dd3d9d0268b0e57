import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { Prng } from "../base/prng.ts";
import { CRC_BYTES_MAX } from "./crc32.ts";
import { copyInside, giveRegion, isInside, Kernels, takeInside, takeRegion } from "./kernels.ts";
import { ROW_TABLE_BYTES, SUM_BYTES } from "./parity.ts";

for (const relaxed of [true, false]) {
  test(`CRC-32 of every length at every alignment, relaxed SIMD ${relaxed ? "on" : "off"}`, () => {
    const set = new Kernels(relaxed);
    const at = set.take(2 * CRC_BYTES_MAX);
    const region = set.bytes.subarray(at, at + 2 * CRC_BYTES_MAX);
    new Prng(1).fill(region);
    for (let length = 1; length <= CRC_BYTES_MAX; length++) {
      const start = 64 + (length % 67);
      const expected = crc32(region.subarray(start, start + length));
      assert.equal(set.run.crc32(at + start, at + start + length) >>> 0, expected, `${length} bytes`);
    }
  });

  test(`parity of 1 to 4 rows, relaxed SIMD ${relaxed ? "on" : "off"}`, () => {
    const set = new Kernels(relaxed);
    const prng = new Prng(2);
    const [shard, sums, tables] = [set.take(SUM_BYTES), set.take(4 * SUM_BYTES), set.take(4 * ROW_TABLE_BYTES)];
    prng.fill(set.bytes.subarray(tables, tables + 4 * ROW_TABLE_BYTES));
    for (let length = 1; length <= 100; length++) {
      const rows = 1 + (length & 3);
      prng.fill(set.bytes.subarray(shard, shard + SUM_BYTES));
      prng.fill(set.bytes.subarray(sums, sums + 4 * SUM_BYTES));
      const before = set.bytes.slice(sums, sums + 4 * SUM_BYTES);
      set.run[`parity${rows as 1 | 2 | 3 | 4}`](shard, shard + length, sums, tables);
      for (let row = 0; row < 4; row++) {
        for (let p = 0; p < length + 20; p++) {
          const byte = set.bytes[shard + p]!;
          const table = tables + ROW_TABLE_BYTES * row;
          // What lies behind the end counts as zeros, and 0 times anything is the table's first entry.
          const [low, high] = p < length ? [byte & 15, byte >> 4] : [0, 0];
          const touched = row < rows && p < Math.ceil(length / 16) * 16;
          const product = touched ? set.bytes[table + low]! ^ set.bytes[table + 16 + high]! : 0;
          assert.equal(set.bytes[sums + SUM_BYTES * row + p], before[SUM_BYTES * row + p]! ^ product, `row ${row}, byte ${p} of ${length}`);
        }
      }
    }
  });
}

test("XOR stops at the end, wherever that is", () => {
  const set = new Kernels(true);
  const at = set.take(512);
  for (let length = 1; length < 200; length++) {
    set.bytes.fill(0x55, at, at + 256).fill(0xff, at + 256, at + 512);
    set.run.xor(at + 3, at + 3 + length, at + 256);
    for (let i = 0; i < 256; i++) assert.equal(set.bytes[at + i], i >= 3 && i < 3 + length ? 0xaa : 0x55, `byte ${i} of ${length}`);
  }
});

test("regions are given out again, and refused when the memory is full", () => {
  const set = new Kernels(true);
  const first = set.take(1000);
  const second = set.take(1000);
  assert.ok(second >= first + 1000 && first % 64 === 0 && second % 64 === 0);
  set.give(first, 1000);
  assert.equal(set.take(1010), first);
  assert.equal(set.take(1 << 30), -1);
  assert.equal(set.refused, 1);
});

test("bytes that do not fit the kernels' memory lie elsewhere; copies are made inside it only", () => {
  const [inside, outside] = [takeInside(100), takeRegion(1 << 29)];
  assert.equal(isInside(outside.bytes), false);
  assert.equal(takeInside(1 << 29), undefined);
  // Other tests of this process may have filled it.
  if (inside === undefined) return;
  const { bytes, at, end } = inside;
  assert.ok(isInside(bytes));
  new Prng(3).fill(bytes.subarray(at, end));
  assert.equal(copyInside(bytes, at, end, outside.bytes, 5), false);
  assert.equal(copyInside(outside.bytes, 0, 100, bytes, at), false);
  const moved = bytes.slice(at, at + 50);
  assert.equal(copyInside(bytes, at, at + 50, bytes, at + 20), true);
  assert.deepEqual(bytes.subarray(at + 20, at + 70), moved);
  giveRegion(inside);
  giveRegion(outside);
});
