import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch } from "../base/batch.ts";
import { Copies } from "./copies.ts";

/** A batch of one datagram of `bytes` in its slot, for peer 3. */
function batchOf(bytes: number): Batch {
  const batch = new Batch(4);
  const start = batch.slot(0) + 64;
  for (let i = 0; i < bytes; i++) batch.bytes[start + i] = i;
  batch.add(start, start + bytes, 3);
  return batch;
}

test("a copy is the same bytes in the next slot, for the other peer", () => {
  const copies = new Copies();
  copies.to(5, 1);
  const batch = batchOf(200);
  assert.ok(copies.follow(batch, "other"));
  assert.deepEqual([batch.length, batch.peer[1]], [2, 5]);
  const [first, second] = [0, 1].map((i) => batch.bytes.slice(batch.start[i], batch.end[i]));
  assert.deepEqual(second, first);
  assert.ok(batch.start[1]! >= batch.slot(1) && batch.end[1]! < batch.slot(2));
  assert.deepEqual([copies.sentDatagrams, copies.sentBytes], [1, 200]);
});

test("what lies elsewhere is not moved, and what goes there already is not copied", () => {
  const copies = new Copies();
  copies.to(5, 1);
  const batch = batchOf(200);
  batch.start[0] = batch.slot(3);
  batch.end[0] = batch.slot(3) + 200;
  assert.ok(copies.follow(batch, "last"));
  assert.equal(batch.start[1], batch.slot(3));
  const there = batchOf(100);
  there.peer[0] = 5;
  assert.equal(copies.follow(there, "other"), false);
});

test("a server copies to where the client asks, until it asks for none or falls silent", () => {
  const copies = new Copies();
  copies.asked(1000, 7, 0.3);
  assert.deepEqual([copies.peer, copies.budget.share, copies.room], [7, 0.3, 1]);
  copies.asked(1500, 8, 0);
  assert.equal(copies.peer, 7, "another way has none");
  copies.advance(3900);
  assert.equal(copies.peer, 7);
  copies.advance(4100);
  assert.deepEqual([copies.peer, copies.room], [-1, 0]);
  copies.asked(5000, 7, 1);
  copies.asked(5100, 7, 0);
  assert.equal(copies.peer, -1);
});

test("a number is new once", () => {
  const copies = new Copies();
  for (let seqid = 0xffff_ff00; seqid < 0xffff_ffff; seqid++) assert.ok(copies.first(seqid), `${seqid}`);
  for (let seqid = 0; seqid < 200; seqid++) assert.ok(copies.first(seqid), `${seqid}`);
  let again = 0;
  for (let seqid = 0; seqid < 200; seqid++) again += copies.first(seqid) ? 1 : 0;
  assert.equal(again, 0);
});
