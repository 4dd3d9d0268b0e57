import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";

function insert(buffer: ReorderBuffer, sequence: number, bytes = [sequence & 255]): void {
  buffer.insert(sequence, Uint8Array.from(bytes), 0, bytes.length, sequence * 10, false);
}

/** What comes out now: first byte of each, with "!" behind a gap. */
function out(buffer: ReorderBuffer, now: number): string {
  const seen: string[] = [];
  while (buffer.next(now)) seen.push(`${buffer.gap ? "!" : ""}${buffer.bytes[buffer.start]}`);
  return seen.join(" ");
}

test("packets come out in order, whatever order and however often they come in", () => {
  const seed = 12;
  const random = new Prng(seed);
  const buffer = new ReorderBuffer();
  let expected = 0;
  insert(buffer, 65_000);
  for (let first = 65_001; first < 70_000; first += 8) {
    const order = Array.from({ length: 8 }, (_, i) => first + i);
    for (let i = 7; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const sequence of [...order, order[0]!]) insert(buffer, sequence);
    while (buffer.next(0)) {
      assert.equal(buffer.timestamp, (65_000 + expected) * 10, `seed ${seed}`);
      assert.equal(buffer.gap, false);
      expected++;
    }
  }
  assert.equal(expected, 70_001 - 65_000);
});

test("what is missing is waited for, and then told of once", () => {
  const buffer = new ReorderBuffer({ wait: 100 });
  for (const sequence of [5, 6, 9]) insert(buffer, sequence);
  assert.equal(out(buffer, 1000), "5 6");
  assert.equal(buffer.deadline(), 1100);
  assert.equal(out(buffer, 1099), "");
  insert(buffer, 7);
  assert.equal(out(buffer, 1099), "7");
  assert.equal(out(buffer, 1300), "!9");
  insert(buffer, 10);
  assert.equal(out(buffer, 1300), "10");
  insert(buffer, 8);
  assert.equal(out(buffer, 1300), "");
  assert.deepEqual([buffer.stats.gaps, buffer.stats.late], [1, 1]);
});

test("padding fills its place and is not seen", () => {
  const buffer = new ReorderBuffer();
  insert(buffer, 1);
  insert(buffer, 2, []);
  insert(buffer, 3);
  assert.equal(out(buffer, 0), "1 3");
});

test("a leap beyond the buffer begins anew behind a gap; long payloads are dropped", () => {
  const buffer = new ReorderBuffer({ packetsMax: 4 });
  insert(buffer, 1);
  assert.equal(out(buffer, 0), "1");
  insert(buffer, 3);
  insert(buffer, 100);
  assert.equal(out(buffer, 0), "!100");
  insert(buffer, 101, Array(1501).fill(1));
  assert.deepEqual([buffer.stats.full, buffer.stats.tooLong], [1, 1]);
});
