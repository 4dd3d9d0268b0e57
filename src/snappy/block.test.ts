import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES, compressedBytesMax } from "./block.ts";
import { BlockDecoder } from "./block-decoder.ts";
import { BlockEncoder } from "./block-encoder.ts";
import { sample, sampleKinds } from "./testing/samples.ts";

const encoder = new BlockEncoder();
const decoder = new BlockDecoder();

function compressed(bytes: Uint8Array): Uint8Array {
  const into = new Uint8Array(compressedBytesMax(bytes.length) + 8);
  return into.slice(0, encoder.compress(bytes, 0, bytes.length, into, 0, into.length));
}

/** Expands at an offset, into room that is marked, and checks that nothing outside the room was touched. */
function expanded(block: Uint8Array, room: number): Uint8Array | undefined {
  const into = new Uint8Array(room + 20).fill(0xa5);
  const n = decoder.uncompress(block, 0, block.length, into, 10, 10 + room);
  assert.ok(into.subarray(0, 10).every((byte) => byte === 0xa5) && into.subarray(10 + room).every((byte) => byte === 0xa5));
  return n < 0 ? undefined : into.slice(10, 10 + n);
}

for (const kind of sampleKinds) {
  test(`${kind} of every length comes back`, () => {
    for (const n of [1, 2, 4, 15, 16, 17, 18, 59, 60, 61, 62, 255, 256, 257, 258, 1000, 4095, 8200, 16_384, 16_385, 65_535, BLOCK_BYTES]) {
      const bytes = sample(kind, n, n);
      const block = compressed(bytes);
      assert.ok(block.length <= compressedBytesMax(n));
      assert.deepEqual(expanded(block, n), bytes, `${n} bytes`);
    }
  });
}

test("what repeats shrinks, what does not grows by its length and tags only", () => {
  assert.ok(compressed(sample("zeros", BLOCK_BYTES)).length < 3200);
  assert.ok(compressed(sample("text", BLOCK_BYTES)).length < BLOCK_BYTES / 4);
  assert.equal(compressed(sample("random", BLOCK_BYTES)).length, 3 + 3 + BLOCK_BYTES);
});

test("the block lies anywhere in its buffers", () => {
  const bytes = sample("words", 9000);
  const around = new Uint8Array(9100).fill(7);
  around.set(bytes, 50);
  const into = new Uint8Array(9100).fill(0xa5);
  const n = encoder.compress(around, 50, 9050, into, 30, 9100);
  assert.deepEqual(into.slice(30, 30 + n), compressed(bytes));
  assert.ok(into.subarray(0, 30).every((byte) => byte === 0xa5));
});

test("a limit is kept to the byte, and never passed", () => {
  for (const kind of sampleKinds) {
    for (const n of [1, 20, 70, 300, 5000]) {
      const bytes = sample(kind, n, 2);
      const whole = compressed(bytes).length;
      for (let limit = 0; limit <= whole + 1; limit = limit < 20 || limit > whole - 20 ? limit + 1 : limit + 97) {
        const into = new Uint8Array(whole + 50).fill(0xa5);
        const answer = encoder.compress(bytes, 0, n, into, 5, 5 + limit);
        // Under 3 bytes even the length has no sure room.
        if (limit >= 3) assert.equal(answer, limit < whole ? 0 : whole, `${kind} ${n}, limit ${limit}`);
        assert.ok(into.subarray(5 + limit).every((byte) => byte === 0xa5));
      }
    }
  }
});

const crafted: readonly [name: string, block: readonly number[], text: string | undefined][] = [
  ["an empty block", [0], ""],
  ["a literal", [3, 2 << 2, 97, 98, 99], "abc"],
  ["a copy that overlaps itself", [9, 0, 97, (4 << 2) | 1, 1], "aaaaaaaaa"],
  ["a copy with a 2-byte offset", [5, 1 << 2, 97, 98, (2 << 2) | 2, 2, 0], "ababa"],
  ["a copy with a 4-byte offset", [5, 1 << 2, 97, 98, (2 << 2) | 3, 2, 0, 0, 0], "ababa"],
  ["a literal whose length takes 4 bytes", [3, 63 << 2, 2, 0, 0, 0, 97, 98, 99], "abc"],
  ["a length in more bytes than it needs", [0x83, 0, 2 << 2, 97, 98, 99], "abc"],
  ["nothing at all", [], undefined],
  ["a length that never ends", [0x83, 0x80, 0x80, 0x80, 0x80, 0], undefined],
  ["a length without data", [1], undefined],
  ["a length beyond the room", [65, 64 << 2], undefined],
  ["a cut literal", [3, 2 << 2, 97, 98], undefined],
  ["a literal longer than the block", [2, 2 << 2, 97, 98, 99], undefined],
  ["a block shorter than its length", [4, 2 << 2, 97, 98, 99], undefined],
  ["a literal of 4 GiB", [3, 63 << 2, 255, 255, 255, 255, 97, 98, 99], undefined],
  ["a literal with a cut length", [3, 62 << 2, 2, 0], undefined],
  ["a copy from before the start", [5, 0, 97, (0 << 2) | 1, 2], undefined],
  ["a copy from nowhere", [5, 0, 97, (0 << 2) | 1, 0], undefined],
  ["a copy beyond the block's length", [4, 0, 97, (0 << 2) | 1, 1], undefined],
  ["a copy without its offset", [5, 0, 97, (0 << 2) | 1], undefined],
  ["a copy with half its offset", [5, 0, 97, (3 << 2) | 2, 1], undefined],
  ["a copy from 4 GiB back", [5, 0, 97, (3 << 2) | 3, 255, 255, 255, 255], undefined],
  ["data behind the end", [1, 0, 97, 0, 98], undefined],
];

for (const [name, block, text] of crafted) {
  test(`${name} is ${text === undefined ? "refused" : "read"}`, () => {
    const bytes = expanded(Uint8Array.from(block), 64);
    assert.equal(bytes === undefined ? undefined : new TextDecoder().decode(bytes), text);
  });
}
