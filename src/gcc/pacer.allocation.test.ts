import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { inOwnProcess } from "../../test/own-process.ts";
import { NOTHING, Pacer } from "./pacer.ts";
import { AUDIO, VIDEO } from "./pacer-queue.ts";

/** Bound: a boxed number takes 16 bytes, so one for each packet shows above it. What the compiler itself takes meanwhile is 0 to 6 a packet. */
const BYTES_PER_PACKET_MAX = 12;

inOwnProcess(import.meta.url, () => {
  test("pacing allocates nothing per packet", () => {
    const pacer = new Pacer({ streamsMax: 8 });
    let now = 0;
    let sent = 0;
    pacer.setRates(0, 20_000_000, 0);
    const run = (frames: number): void => {
      for (let frame = 0; frame < frames; frame++) {
        for (let i = 0; i < 20; i++) pacer.enqueue(now, i, i % 8, i === 0 ? AUDIO : VIDEO, 1200);
        for (const end = now + 10_000; now < end; now += 1000) while (pacer.next(now) !== NOTHING) sent++;
      }
    };
    // Long enough for the compiler to have seen every path.
    run(60_000);
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10; round++) {
      sent = 0;
      const before = getHeapStatistics().total_allocated_bytes;
      run(2000);
      least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / sent);
      assert.equal(sent, 40_000);
    }
    assert.ok(least < BYTES_PER_PACKET_MAX, `${least.toFixed(1)} bytes a packet`);
  });
});
