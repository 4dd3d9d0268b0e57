import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as reference } from "node:zlib";
import { Prng } from "../base/prng.ts";
import { primitives } from "../host/crypto.ts";
import { crc32 } from "./crc32.ts";

test("CRC-32 of the check string", () => {
  const text = new TextEncoder().encode("123456789");
  assert.equal(crc32(new DataView(text.buffer), 0, 9), 0xcbf43926);
});

test("CRC-32 of every length and alignment equals zlib's, in TypeScript and as the machine does it", () => {
  const bytes = new Prng(1).fill(new Uint8Array(2000));
  const view = new DataView(bytes.buffer, 1);
  for (let length = 0; length < 100; length++) {
    const start = (length * 7) % 17;
    const expected = reference(bytes.subarray(1 + start, 1 + start + length));
    assert.equal(crc32(view, start, start + length), expected);
    if (primitives.crc32) assert.equal(primitives.crc32(view, start, start + length), expected);
  }
  assert.equal(crc32(view, 3, 1999), reference(bytes.subarray(4, 2000)));
});
