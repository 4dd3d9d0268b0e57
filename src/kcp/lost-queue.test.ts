import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { LostQueue } from "./lost-queue.ts";

test("the lowest number comes first, in whatever order they came and went", () => {
  const prng = new Prng(9);
  // Numbers pass 2^32.
  const sn = Uint32Array.from({ length: 64 }, (_, i) => 0xffffffe0 + i);
  const queue = new LostQueue(sn, new Int32Array(3 + 2 * sn.length), 3);
  const held = new Set<number>();
  for (let step = 0; step < 5000; step++) {
    const f = prng.below(64);
    if (held.has(f)) {
      queue.remove(f);
      held.delete(f);
    } else {
      queue.add(f);
      held.add(f);
    }
    assert.equal(queue.first, held.size === 0 ? -1 : Math.min(...held), `step ${step}`);
  }
});
