import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { prefixesOf } from "./prefixes.ts";

test("prefixes cover a range, each number once, and nothing else", () => {
  assert.deepEqual(prefixesOf(0n, 65_535n, 16), [{ value: 0n, bits: 0 }]);
  assert.deepEqual(prefixesOf(5n, 5n, 16), [{ value: 5n, bits: 16 }]);
  const random = new Prng(7);
  for (let round = 0; round < 200; round++) {
    const [a, b] = [random.u32() & 255, random.u32() & 255];
    const [first, last] = [Math.min(a, b), Math.max(a, b)];
    const covered = new Uint8Array(256);
    const prefixes = prefixesOf(BigInt(first), BigInt(last), 8);
    assert.ok(prefixes.length <= 14);
    for (const { value, bits } of prefixes) for (let i = 0; i < 1 << (8 - bits); i++) covered[Number(value) + i]!++;
    for (let i = 0; i < 256; i++) assert.equal(covered[i], i >= first && i <= last ? 1 : 0, `${first}-${last}: ${i}`);
  }
});
