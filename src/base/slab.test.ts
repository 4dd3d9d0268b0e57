import assert from "node:assert/strict";
import { test } from "node:test";
import { Slab } from "./slab.ts";

test("pieces are their owners' alone, many to a block; large ones have memory of their own", () => {
  const slab = new Slab();
  const pieces = Array.from({ length: 1000 }, (_, n) => slab.take(300).fill(n & 255));
  assert.ok(pieces.every((piece, n) => piece.length === 300 && piece.every((byte) => byte === (n & 255))));
  assert.ok(new Set(pieces.map(({ buffer }) => buffer)).size < 10);
  const large = slab.take(100_000);
  assert.equal(large.length, 100_000);
  assert.equal(large.buffer.byteLength, 100_000);
  assert.equal(slab.take(0).length, 0);
});
