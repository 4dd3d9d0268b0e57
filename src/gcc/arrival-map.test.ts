import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { ArrivalMap, NOT_RECEIVED } from "./arrival-map.ts";

test("arrivals are found by sequence number, gaps are not received", () => {
  const map = new ArrivalMap();
  assert.equal(map.empty, true);
  assert.equal(map.add(42, 10), true);
  assert.equal(map.add(45, 11), true);
  assert.equal(map.add(45, 99), false, "the first arrival counts");
  assert.deepEqual(
    [42, 43, 44, 45].map((s) => map.at(s)),
    [10, NOT_RECEIVED, NOT_RECEIVED, 11],
  );
  assert.equal(map.at(41), NOT_RECEIVED);
  assert.equal(map.at(46), NOT_RECEIVED);
  assert.equal(map.next(0), 42);
  assert.equal(map.next(43), 45);
  assert.equal(map.next(46), 46);
});

test("late packets extend it downwards, below 0 too", () => {
  const map = new ArrivalMap();
  map.add(5, 1);
  assert.equal(map.add(-2, 2), true);
  assert.equal(map.begin, -2);
  assert.equal(map.at(-2), 2);
  assert.equal(map.has(0), false);
  assert.equal(map.at(5), 1);
});

test("it reaches as far as it may and no further", () => {
  const map = new ArrivalMap(128);
  map.add(1000, 1);
  assert.equal(map.add(1000 - 127, 2), true);
  assert.equal(map.add(1000 - 128, 3), false);
  assert.equal(map.stats.tooOld, 1);
  assert.equal(map.add(1001, 4), true, "pushes the oldest out");
  assert.equal(map.has(1000 - 127), false);
  assert.equal(map.begin, 1000, "and begins at a packet that arrived");
  assert.equal(map.stats.overflowed, 127, "sequence numbers, arrived or not");
  assert.equal(map.add(5_000_000, 5), true);
  assert.equal(map.begin, 5_000_000);
  assert.equal(map.end, 5_000_001);
});

test("old packets are removed up to a sequence number and a time", () => {
  const map = new ArrivalMap();
  for (const [sequence, time] of [
    [10, 100],
    [12, 120],
    [13, 130],
  ] as const) {
    map.add(sequence, time);
  }
  map.removeOld(12, 1000);
  assert.equal(map.begin, 12);
  map.removeOld(20, 125);
  assert.equal(map.begin, 13);
  map.removeOld(20, 130);
  assert.equal(map.empty, true);
  map.add(11, 140);
  assert.equal(map.at(11), 140);
});

test("random arrivals agree with a plain map", () => {
  const seed = 20261121;
  const random = new Prng(seed);
  const map = new ArrivalMap(256);
  const plain = new Map<number, number>();
  let newest = 0;
  for (let i = 0; i < 20_000; i++) {
    const jump = random.chance(0.001) ? random.below(2000) : 0;
    const sequence = Math.max(0, newest + jump + random.below(40) - 30);
    newest = Math.max(newest, sequence);
    if (map.add(sequence, i)) plain.set(sequence, i);
    for (const known of plain.keys()) if (known < map.begin || known >= map.end) plain.delete(known);
    if (i % 97 === 0) {
      for (let s = map.begin - 3; s < map.end + 3; s++)
        assert.equal(map.at(s), plain.get(s) ?? NOT_RECEIVED, `seed ${seed}, step ${i}, ${s}`);
      assert.ok(map.end - map.begin <= 256);
    }
  }
});
