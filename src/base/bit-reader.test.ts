import assert from "node:assert/strict";
import { test } from "node:test";
import { BitReader } from "./bit-reader.ts";

test("Exp-Golomb codes of table 9-2 and 9-3", () => {
  // 0 1 2 3 4 5, then se: 0 1 -1 2
  const reader = new BitReader(Uint8Array.of(0b10100110, 0b01000010, 0b10011010, 0b10011001, 0b00000000));
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map(() => reader.ue()),
    [0, 1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map(() => reader.se()),
    [0, 1, -1, 2],
  );
  assert.equal(reader.overrun, false);
});

test("reading past the end and codes of more than 32 bits yield zeros and are remembered", () => {
  const short = new BitReader(Uint8Array.of(0xff));
  assert.equal(short.bits(12), 0xff0);
  assert.equal(short.overrun, true);
  const long = new BitReader(new Uint8Array(16));
  assert.equal(long.ue(), 0);
  assert.equal(long.overrun, true);
});

test("32-bit fields are unsigned", () => {
  assert.equal(new BitReader(Uint8Array.of(0xff, 0xff, 0xff, 0xfe)).bits(32), 0xfffffffe);
});
