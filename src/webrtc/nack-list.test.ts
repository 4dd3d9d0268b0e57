import assert from "node:assert/strict";
import { test } from "node:test";
import { NackList } from "./nack-list.ts";

function due(nacks: NackList, now: number): number[] {
  const asked: number[] = [];
  for (let sequence = nacks.next(now, Number.NEGATIVE_INFINITY); !Number.isNaN(sequence); sequence = nacks.next(now, sequence + 1))
    asked.push(sequence);
  return asked;
}

test("a gap is asked for at once, again after a round trip, and no more when it has come", () => {
  const nacks = new NackList();
  nacks.roundTrip = 50_000;
  nacks.receive(0, 10);
  assert.equal(nacks.deadline(), Number.POSITIVE_INFINITY);
  nacks.receive(1000, 13);
  assert.equal(nacks.deadline(), 1000);
  assert.deepEqual(due(nacks, 1000), [11, 12]);
  assert.deepEqual(due(nacks, 40_000), []);
  assert.equal(nacks.deadline(), 51_000);
  nacks.receive(45_000, 11);
  assert.deepEqual(due(nacks, 51_000), [12]);
  nacks.receive(60_000, 12);
  assert.equal(nacks.length, 0);
  assert.deepEqual([nacks.stats.missing, nacks.stats.recovered, nacks.keyFrameWanted], [2, 2, false]);
});

test("after ten times a packet is given up and a key frame wanted", () => {
  const nacks = new NackList();
  nacks.receive(0, 1);
  nacks.receive(0, 3);
  for (let i = 0; i < 10; i++) assert.deepEqual(due(nacks, i * 100_000), [2]);
  assert.equal(nacks.keyFrameWanted, false);
  assert.deepEqual(due(nacks, 1_000_000), []);
  assert.deepEqual([nacks.length, nacks.keyFrameWanted, nacks.stats.abandoned], [0, true, 1]);
});

test("a gap beyond the list is not asked for", () => {
  const nacks = new NackList(10);
  nacks.receive(0, 0);
  nacks.receive(0, 11);
  assert.equal(nacks.length, 10);
  nacks.receive(0, 13);
  assert.deepEqual([nacks.length, nacks.keyFrameWanted, nacks.stats.overflows], [0, true, 1]);
  nacks.receive(0, 15);
  assert.deepEqual(due(nacks, 0), [14]);
});

test("what is older than a key frame is forgotten", () => {
  const nacks = new NackList();
  nacks.receive(0, 0);
  nacks.receive(0, 6);
  nacks.forgetBefore(4);
  assert.deepEqual(due(nacks, 0), [4, 5]);
});
