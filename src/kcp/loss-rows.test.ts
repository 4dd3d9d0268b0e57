import assert from "node:assert/strict";
import { test } from "node:test";
import { LossRows } from "./loss-rows.ts";

test("most of two rows lost is a queue that ran over; as much of rows apart is not", () => {
  const rows = new LossRows(0);
  assert.equal(rows.took(10, 0), false);
  assert.equal(rows.took(64, 53), true);
  assert.deepEqual([rows.lost, rows.overflowed], [53, false]);
  rows.took(128, 63);
  assert.equal(rows.overflowed, true);
  rows.clear();
  assert.equal(rows.overflowed, false);
  rows.took(192, 60);
  rows.took(256, 3);
  rows.took(320, 60);
  assert.equal(rows.overflowed, false);
});

test("numbers may wrap", () => {
  const rows = new LossRows(0xffff_fff0);
  assert.equal(rows.took(0x10, 31), false);
  assert.equal(rows.took(0x30, 31), true);
  assert.equal(rows.lost, 62);
});
