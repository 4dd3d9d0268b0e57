import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "./byte-queue.ts";
import { Prng } from "./prng.ts";

test("bytes leave in the order they came, across wraps and growth", () => {
  const prng = new Prng(7);
  const queue = new ByteQueue(20_000);
  const piece = new Uint8Array(5000);
  const out = new Uint8Array(5000);
  let written = 0;
  let readBack = 0;
  for (let round = 0; round < 2000; round++) {
    const n = prng.below(3000);
    for (let i = 0; i < n; i++) piece[100 + i] = (written + i) % 251;
    if (queue.push(piece, 100, 100 + n)) written += n;
    else assert.ok(queue.length + n > 20_000, "refused only at the limit");
    const wanted = prng.below(3000);
    const got = queue.peek(out, 10, 10 + wanted);
    for (let i = 0; i < got; i++) assert.equal(out[10 + i], (readBack + i) % 251);
    if (queue.length > 0) assert.equal(queue.bytes[queue.start], readBack % 251);
    queue.consume(got);
    readBack += got;
  }
  assert.equal(written - readBack, queue.length);
  assert.ok(readBack > 1_000_000);
});
