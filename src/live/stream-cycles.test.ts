/** Streams begun and ended on one channel, in virtual time: what the first tenth left is what there is after the last. CYCLES=1000 for more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { inOwnProcess } from "../../test/own-process.ts";
import { silentLog } from "../host/log.ts";
import { liveConfig } from "./config.ts";
import { Origin } from "./origin.ts";
import { TestEncoder } from "./testing/encoder.ts";
import { TestLoop } from "./testing/loop.ts";

const CYCLES = Number(process.env.CYCLES ?? 150);

inOwnProcess(import.meta.url, () => {
  test(`${CYCLES} streams begun and ended leave nothing behind`, async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const loop = new TestLoop();
    const origin = new Origin(
      liveConfig.parse({ channels: { demo: "demo-key-0001" }, offline: 0 }),
      loop,
      silentLog,
      () => 1e12 + loop.time,
    );
    loop.drive(origin);
    origin.listen({ host: "127.0.0.1", port: 1935 });
    /** The collector gives buffers back behind our back: what is there after it had time. */
    const held = async (): Promise<number> => {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 10; round++) {
        collect();
        await new Promise((done) => setTimeout(done, 20));
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        least = Math.min(least, heapUsed + arrayBuffers);
      }
      return least;
    };
    const cycle = (n: number): void => {
      const encoder = new TestEncoder(loop, "demo-key-0001");
      encoder.play(600);
      if (n % 2 === 0) encoder.stop();
      else encoder.connection.break("ECONNRESET");
      loop.pass(1000);
    };
    for (let n = 0; n < CYCLES / 10; n++) cycle(n);
    const early = await held();
    for (let n = CYCLES / 10; n < CYCLES; n++) cycle(n);
    const late = await held();
    const channel = origin.channels.get("demo")!;
    assert.equal(channel.counters.streams, CYCLES);
    assert.equal(origin.ingest.connections, 0);
    assert.ok(late - early < 2_000_000, `${early} → ${late} bytes`);
  });
});
