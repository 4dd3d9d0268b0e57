import assert from "node:assert/strict";
import { test } from "node:test";
import { Pieces } from "./pieces.ts";

const list = (pieces: Pieces): number[][] => Array.from({ length: pieces.length }, (_, i) => [pieces.start[i]!, pieces.end[i]!]);

test("neighbours become one piece", () => {
  const pieces = new Pieces(2);
  pieces.add(8, 16);
  pieces.add(16, 20);
  pieces.add(30, 40);
  assert.deepEqual(list(pieces), [
    [8, 20],
    [30, 40],
  ]);
  assert.equal(pieces.total, 22);
  assert.ok(pieces.full);
  assert.throws(() => pieces.add(50, 51));
});

test("what was consumed is gone, in the midst of a piece or at its end", () => {
  const pieces = new Pieces(3);
  for (const at of [0, 10, 20]) pieces.add(at, at + 5);
  pieces.consume(7);
  assert.deepEqual(list(pieces), [
    [12, 15],
    [20, 25],
  ]);
  pieces.consume(3);
  assert.deepEqual(list(pieces), [[20, 25]]);
  assert.equal(pieces.total, 5);
  pieces.consume(5);
  assert.deepEqual([pieces.length, pieces.total], [0, 0]);
});
