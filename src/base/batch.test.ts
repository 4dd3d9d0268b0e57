import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, SLOT_BYTES } from "./batch.ts";
import { Region } from "./region.ts";

test("a batch takes what lies elsewhere into its own slots", () => {
  const shared = Region.of(new Uint8Array(4 * SLOT_BYTES));
  const batch = new Batch(2, new Region(shared.bytes, shared.view, SLOT_BYTES, 2 * SLOT_BYTES));
  shared.bytes.fill(5, batch.slot(0) + 10, batch.slot(0) + 30);
  shared.bytes.fill(9, 3 * SLOT_BYTES + 100, 3 * SLOT_BYTES + 200);
  batch.add(batch.slot(0) + 10, batch.slot(0) + 30);
  batch.add(3 * SLOT_BYTES + 100, 3 * SLOT_BYTES + 200);
  batch.own(0);
  shared.bytes.fill(0, 3 * SLOT_BYTES);
  assert.deepEqual([batch.start[0], batch.end[0]], [batch.slot(0) + 10, batch.slot(0) + 30]);
  assert.deepEqual([batch.start[1], batch.end[1]], [batch.slot(1), batch.slot(1) + 100]);
  assert.ok(shared.bytes.subarray(batch.start[1]!, batch.end[1]!).every((byte) => byte === 9));
});
