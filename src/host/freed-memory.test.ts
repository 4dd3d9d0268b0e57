import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { inOwnProcess } from "../../test/own-process.ts";
import { FreedMemory } from "./freed-memory.ts";
import { loadSys } from "./sys.ts";

const MIB = 1024 * 1024;

describe("memory that was freed", () => {
  test("is given back at the first look, and again only when the process has grown since", () => {
    let resident = 100 * MIB;
    let trims = 0;
    const freed = new FreedMemory({ trim: () => trims++, resident: () => resident, growth: 4 * MIB });
    assert.equal(freed.look(), true);
    resident = 103 * MIB;
    assert.equal(freed.look(), false);
    resident = 104 * MIB;
    assert.equal(freed.look(), true);
    assert.equal(trims, 2);
  });

  test("what shrinks by itself lowers the mark", () => {
    let resident = 100 * MIB;
    const freed = new FreedMemory({ trim: () => {}, resident: () => resident, growth: 4 * MIB });
    freed.look();
    resident = 80 * MIB;
    assert.equal(freed.look(), false);
    resident = 85 * MIB;
    assert.equal(freed.look(), true);
  });
});

inOwnProcess(import.meta.url, () => {
  test("between pieces in use it goes back to the kernel", async () => {
    const { malloc_trim } = loadSys();
    assert.ok(malloc_trim, "glibc has it");
    // The C library's own memory, a piece kept of each sixteen so that no end of the heap is free.
    const pieces = Array.from({ length: 64 * 1024 }, () => Buffer.allocUnsafeSlow(1024).fill(1));
    const kept = pieces.filter((_, i) => i % 16 === 0);
    pieces.length = 0;
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    // Buffers are freed by another thread, after the collection that found them.
    for (let i = 0; i < 3; i++) {
      gc();
      await sleep(50);
    }
    const freed = new FreedMemory({ trim: () => malloc_trim(0), resident: () => process.memoryUsage.rss() });
    const before = process.memoryUsage.rss();
    freed.look();
    const given = before - process.memoryUsage.rss();
    assert.equal(kept.length, 4096);
    assert.ok(given > 20 * MIB, `${given} bytes`);
  });
});
