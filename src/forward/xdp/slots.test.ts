import assert from "node:assert/strict";
import { test } from "node:test";
import { Interned } from "./interned.ts";
import { Slots } from "./slots.ts";

test("what was given back is taken again after two rests, not before", () => {
  const slots = new Slots("test", 4, 1);
  assert.deepEqual([slots.take(), slots.take(), slots.take()], [1, 2, 3]);
  assert.throws(() => slots.take(), /no 1 free places/);
  slots.give(2);
  slots.rest();
  assert.throws(() => slots.take(), { code: "ENOSPC" });
  slots.rest();
  assert.equal(slots.take(), 2);
});

test("several in a row, never over the end", () => {
  const slots = new Slots("test", 8);
  assert.equal(slots.take(5), 0);
  assert.throws(() => slots.take(4), /4 free places in a row/);
  assert.equal(slots.take(3), 5);
  slots.give(0, 5);
  slots.rest();
  slots.rest();
  assert.equal(slots.take(5), 0);
  assert.equal(slots.free, 0);
});

test("claimed places are left alone", () => {
  const slots = new Slots("test", 4);
  slots.claim(1, 2);
  assert.deepEqual([slots.take(), slots.take()], [0, 3]);
});

test("the same is written once and goes with its last user", () => {
  const slots = new Slots("test", 4);
  const interned = new Interned(slots);
  const written: number[] = [];
  const take = (key: string): number => interned.take(key, 1, (at) => written.push(at));
  const a = take("a");
  assert.equal(take("a"), a);
  take("b");
  assert.deepEqual(written, [0, 1]);
  interned.give(a);
  assert.equal(take("a"), a, "one user is left");
  interned.give(a);
  interned.give(a);
  assert.notEqual(take("a"), a, "it rests");
});
