import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { Kernels, takeInside } from "../kernel/kernels.ts";
import { crc32c, crc32cInside, crc32cMasked } from "./crc32c.ts";

/** RFC 3720 appendix B.4. */
const known: readonly [name: string, bytes: Uint8Array, crc: number][] = [
  ["nothing", new Uint8Array(0), 0],
  ["the check string", new TextEncoder().encode("123456789"), 0xe3069283],
  ["32 bytes of 00", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ff", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes rising", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["32 bytes falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
];

for (const [name, bytes, crc] of known) test(`CRC-32C of ${name}`, () => assert.equal(crc32c(bytes, 0, bytes.length) >>> 0, crc));

test("eight bytes a step give what one bit a step gives, at every length and offset", () => {
  const bytes = new Prng(3).fill(new Uint8Array(64));
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      let crc = -1;
      for (let i = start; i < end; i++) {
        crc ^= bytes[i]!;
        for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
      }
      assert.equal(crc32c(bytes, start, end), ~crc, `${start}…${end}`);
    }
  }
});

test("the mask rotates and adds", () => {
  const bytes = new TextEncoder().encode("123456789");
  assert.equal(crc32cMasked(bytes, 0, 9) >>> 0, (((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8) >>> 0);
});

test("kernels compute the same, whatever the length", () => {
  const set = new Kernels(true);
  const { bytes, at } = takeInside(70_000, set)!;
  const prng = new Prng(5);
  prng.fill(bytes.subarray(at, at + 70_000));
  for (const length of [0, 1, 79, 80, 2047, 2048, 2049, 4096, 8200, 65_536, ...Array.from({ length: 50 }, () => prng.below(69_000))]) {
    const start = at + prng.below(900);
    const elsewhere = bytes.slice(start, start + length);
    assert.equal(crc32cInside(set, start, start + length), crc32c(elsewhere, 0, length), `${length} bytes`);
  }
});
