import assert from "node:assert/strict";
import { test } from "node:test";
import { primitives } from "../host/crypto.ts";
import { NoncePool } from "./nonce-pool.ts";

test("no byte of the pool is given out twice, whatever sizes are drawn", () => {
  let drawn = 0;
  // Every word of the machine's randomness is another number, so that a repeat shows.
  const pool = new NoncePool({
    ...primitives,
    random: (into) => {
      const words = new Uint32Array(into.buffer, into.byteOffset, into.length / 4);
      for (let i = 0; i < words.length; i++) words[i] = drawn++;
    },
  });
  const view = new DataView(new ArrayBuffer(32));
  const seen = new Set<number>();
  let words = 0;
  for (let n = 0; n < 2000; n++) {
    const bytes = n % 3 === 0 ? 12 : 16;
    pool.draw(view, 5, bytes);
    for (let i = 0; i < bytes; i += 4) seen.add(view.getUint32(5 + i, true));
    words += bytes / 4;
  }
  assert.equal(seen.size, words);
  assert.deepEqual([view.getUint32(0), view.getUint8(4), view.getUint32(21)], [0, 0, 0]);
});
