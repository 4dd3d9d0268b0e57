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

const CYCLES = Number(process.env.CYCLES ?? 300);

inOwnProcess(import.meta.url, () => {
  test(`${CYCLES} streams begun and ended leave nothing behind`, () => {
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
    const held = (): number => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const cycle = (n: number): void => {
      const encoder = new TestEncoder(loop, "demo-key-0001");
      encoder.play(600);
      if (n % 2 === 0) encoder.stop();
      else encoder.connection.break("ECONNRESET");
      loop.pass(1000);
    };
    for (let n = 0; n < CYCLES / 10; n++) cycle(n);
    const early = held();
    for (let n = CYCLES / 10; n < CYCLES; n++) cycle(n);
    const late = held();
    const channel = origin.channels.get("demo")!;
    assert.equal(channel.counters.streams, CYCLES);
    assert.equal(origin.ingest.connections, 0);
    assert.ok(late - early < 500_000, `${early} → ${late} bytes`);
  });
});
