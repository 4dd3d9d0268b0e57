import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "./cursor.ts";
import { Heap } from "./heap.ts";
import { Prng } from "./prng.ts";
import { Region } from "./region.ts";
import { Ring } from "./ring.ts";
import { seqAdd, seqDiff, seqLess } from "./seq.ts";
import { Slots } from "./slots.ts";

test("sequence numbers compare across the wrap", () => {
  assert.equal(seqDiff(2, 0xfffffffe), 4);
  assert.equal(seqDiff(0xfffffffe, 2), -4);
  assert.ok(seqLess(0xffffffff, 0));
  assert.ok(!seqLess(0, 0xffffffff));
  assert.equal(seqAdd(0xffffffff, 1), 0);
  assert.equal(seqAdd(0, -1), 0xffffffff);
});

test("a ring keeps order while it grows, and refuses at its capacity", () => {
  const ring = new Ring<number>(20);
  for (let i = 0; i < 6; i++) ring.push(-1);
  for (let i = 0; i < 6; i++) ring.shift();
  for (let i = 0; i < 20; i++) assert.ok(ring.push(i));
  assert.ok(!ring.push(20));
  assert.equal(ring.at(19), 19);
  assert.equal(ring.at(20), undefined);
  for (let i = 0; i < 20; i++) assert.equal(ring.shift(), i);
  assert.equal(ring.shift(), undefined);
});

test("a heap gives the smallest key first and equal keys in order of arrival", () => {
  const prng = new Prng(1);
  const heap = new Heap<number>();
  for (let i = 0; i < 1000; i++) heap.push(prng.below(50), i);
  let lastKey = -1;
  let lastItem = -1;
  for (let i = 0; i < 1000; i++) {
    const key = heap.minimum;
    const item = heap.pop()!;
    assert.ok(key > lastKey || (key === lastKey && item > lastItem));
    lastKey = key;
    lastItem = item;
  }
  assert.equal(heap.minimum, Number.POSITIVE_INFINITY);
});

test("the same seed gives the same numbers, another seed others; the mean is fair", () => {
  const numbers = (seed: number): number[] => {
    const prng = new Prng(seed);
    return Array.from({ length: 100 }, () => prng.u32());
  };
  assert.deepEqual(numbers(5), numbers(5));
  assert.notDeepEqual(numbers(5), numbers(6));
  const prng = new Prng(9);
  let sum = 0;
  for (let i = 0; i < 100_000; i++) sum += prng.float();
  assert.ok(Math.abs(sum / 100_000 - 0.5) < 0.005);
});

test("a cursor reads back what was written and marks an overrun instead of throwing", () => {
  const bytes = new Writer(2)
    .u8(1)
    .u16(0x0203)
    .u24(0x040506)
    .u32(0xfffffff0)
    .u32le(0xfffffff1)
    .u64(2 ** 40 + 7)
    .f64(-1.5)
    .ascii("moof")
    .finish();
  const reader = new Reader(bytes);
  assert.deepEqual([reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u32le()], [1, 0x0203, 0x040506, 0xfffffff0, 0xfffffff1]);
  assert.equal(reader.u32() * 2 ** 32 + reader.u32(), 2 ** 40 + 7);
  assert.equal(reader.f64(), -1.5);
  assert.equal(String.fromCharCode(...reader.take(4)), "moof");
  assert.ok(!reader.overrun);
  assert.equal(reader.u32(), 0);
  assert.ok(reader.overrun);
});

test("slots are reused before pages are added, and end at the capacity", () => {
  const slots = new Slots(100, 100);
  const out = Array.from({ length: 100 }, () => slots.take());
  assert.equal(new Set(out).size, 100);
  for (const slot of out) slots.page(slot).fill(slot & 255, slots.offset(slot), slots.offset(slot) + 100);
  for (const slot of out) assert.equal(slots.page(slot)[slots.offset(slot) + 99], slot & 255);
  const held = slots.bytesHeld;
  for (const slot of out) slots.give(slot);
  for (let i = 0; i < 1000; i++) slots.give(slots.take());
  assert.equal(slots.bytesHeld, held);
});

test("slots: pages that nobody has needed for a while are given back, and what is out stays where it is", () => {
  let held = 0;
  const slots = new Slots(100, Number.POSITIVE_INFINITY, {
    take: (bytes) => {
      held += bytes;
      return Region.of(new Uint8Array(bytes));
    },
    give: (page) => {
      held -= page.length;
    },
  });
  const out = Array.from({ length: 1000 }, () => slots.take());
  assert.equal(held, 1024 * 100);
  const kept = out.filter((_, i) => i % 300 === 0);
  for (const slot of kept) slots.page(slot)[slots.offset(slot)] = slot & 255;
  for (const slot of out) if (!kept.includes(slot)) slots.give(slot);
  slots.trim();
  assert.equal(held, 1024 * 100, "they were needed since the last time");
  slots.trim();
  assert.equal(held, kept.length * 64 * 100);
  assert.deepEqual([slots.bytesHeld, slots.out], [held, kept.length]);
  const again = Array.from({ length: 1000 - kept.length }, () => slots.take());
  assert.equal(new Set([...again, ...kept]).size, 1000);
  assert.equal(held, 1024 * 100);
  for (const slot of again) slots.page(slot).fill(255, slots.offset(slot), slots.offset(slot) + 100);
  for (const slot of kept) assert.equal(slots.page(slot)[slots.offset(slot)], slot & 255);
});
