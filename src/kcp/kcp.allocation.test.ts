import assert from "node:assert/strict";
import { test } from "node:test";
import { leastHeapGrowth } from "../../test/heap-growth.ts";
import { inOwnProcess } from "../../test/own-process.ts";
import { Pair, pattern } from "./testing/pair.ts";

/**
 * Bound: a new Uint8Array view costs 100 bytes or more and an object or closure 30, so anything allocated per packet shows above it; what
 * stays below are the boxes of a few floating-point times that cross calls the compiler did not inline.
 */
const BYTES_PER_PACKET_MAX = 30;

inOwnProcess(import.meta.url, () => {
  test("a steady bulk flow allocates next to nothing per packet", () => {
    const pair = new Pair();
    pair.drops = (_, i) => i % 50 === 7;
    const block = pattern(16 * pair.ends[0].mss);
    const into = new Uint8Array(block.length);
    const each = (): boolean => {
      while (pair.ends[0].writable && pair.send(0, block) > 0);
      while (pair.ends[1].readable > 0) pair.ends[1].read(pair.now, into, 0, into.length);
      return true;
    };
    const packets = (): number => pair.ends[0].stats.outPkts + pair.ends[1].stats.outPkts;
    // Long enough for the compiler to have seen every path and for slots and views to have grown to the window.
    pair.run(pair.now + 1000, each);
    const run = (): number => {
      const before = packets();
      while (packets() - before < 4000) pair.run(pair.now + 20, each);
      return packets() - before;
    };
    const least = leastHeapGrowth(run, BYTES_PER_PACKET_MAX);
    assert.ok(packets() > 20_000, `${packets()} packets`);
    assert.ok(least < BYTES_PER_PACKET_MAX, `${least.toFixed(1)} bytes per packet`);
  });
});
