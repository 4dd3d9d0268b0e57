import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { Kernels } from "./kernels.ts";
import { MD5_BYTES, Md5Lanes } from "./md5-lanes.ts";

/** Of their own: others may have filled those of the thread. */
const set = new Kernels(true);

test("MD5 of messages of every length, eight at a time in any company", () => {
  const prng = new Prng(11);
  const lanes = new Md5Lanes(set);
  const at = set.take(64 * 2048);
  prng.fill(set.bytes.subarray(at, at + 64 * 2048));
  for (let round = 0; round < 40; round++) {
    const count = 1 + prng.below(20);
    const messages = Array.from({ length: count }, (_, i) => {
      const start = at + i * 2048 + prng.below(64);
      return { start, end: start + (round < 20 ? round * 13 + i : prng.below(1900)), into: at + (32 + i) * 2048 };
    });
    for (const { start, end, into } of messages) lanes.add(start, end, into);
    lanes.finish();
    for (const { start, end, into } of messages) {
      const digest = createHash("md5").update(set.bytes.subarray(start, end)).digest("hex");
      assert.equal(Buffer.from(set.bytes.subarray(into, into + MD5_BYTES)).toString("hex"), digest, `${end - start} bytes`);
    }
  }
});

test("the sum of the Internet checksum, every length and alignment", () => {
  const prng = new Prng(12);
  const at = set.take(70_000);
  prng.fill(set.bytes.subarray(at, at + 70_000));
  for (const length of [...Array.from({ length: 200 }, (_, i) => i), 1499, 1500, 65_535]) {
    const start = at + (length % 19);
    let expected = 0;
    for (let i = 0; i < length; i++) expected += set.bytes[start + i]! << (8 * (i & 1));
    assert.equal(set.run.sum16(start, start + length) >>> 0, expected, `${length} bytes`);
  }
  set.bytes.fill(255, at, at + 65_534);
  assert.equal(set.run.sum16(at, at + 65_534) >>> 0, 32_767 * 65_535);
});

test("CBC in lock step is CBC of each packet", () => {
  const prng = new Prng(13);
  const key = Buffer.alloc(16, 7);
  const ecb = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const [packets, registers, lanes] = [set.take(16 * 2048), set.take(16 * 16), set.take(16 * 8)];
  const expected: string[] = [];
  for (let i = 0; i < 16; i++) {
    const start = packets + i * 2048 + 64;
    const blocks = 1 + prng.below(20);
    prng.fill(set.bytes.subarray(start, start + blocks * 16));
    const cbc = createCipheriv("aes-128-cbc", key, Buffer.alloc(16)).setAutoPadding(false);
    expected.push(cbc.update(set.bytes.subarray(start, start + blocks * 16)).toString("hex"));
    set.view.setInt32(lanes + 8 * i, start - 16, true);
    set.view.setInt32(lanes + 8 * i + 4, start + (blocks - 1) * 16, true);
  }
  set.bytes.fill(0, registers, registers + 256);
  for (let left = set.run.cbcRow(registers, lanes, 16); left > 0; left = set.run.cbcRow(registers, lanes, left)) {
    set.bytes.set(ecb.update(set.bytes.subarray(registers, registers + left * 16)), registers);
  }
  expected.forEach((hex, i) => {
    const start = packets + i * 2048 + 64;
    assert.equal(Buffer.from(set.bytes.subarray(start, start + hex.length / 2)).toString("hex"), hex);
  });
});
