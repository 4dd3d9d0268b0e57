/** One stream for a long time, every byte of it through RTMP, segmenter and window, in virtual time: what is held after it is what was held near its beginning. MINUTES=60 for an hour. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { inOwnProcess } from "../../test/own-process.ts";
import { silentLog } from "../host/log.ts";
import { FlvLoop } from "../media/flv/loop.ts";
import { RtmpPublisher } from "../media/rtmp/publisher.ts";
import { liveConfig } from "./config.ts";
import { Origin } from "./origin.ts";
import { demoFile } from "./testing/encoder.ts";
import { TestLoop } from "./testing/loop.ts";

const MINUTES = Number(process.env.MINUTES ?? 2);
const STEP_MS = 20;
const KEY = "demo-key-0001";

inOwnProcess(import.meta.url, () => {
  test(`${MINUTES} minutes of one stream leave no more behind than its first`, async (t) => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const loop = new TestLoop();
    const origin = new Origin(liveConfig.parse({ channels: { demo: KEY } }), loop, silentLog, () => 1e12 + loop.time);
    loop.drive(origin);
    origin.listen({ host: "127.0.0.1", port: 1935 });
    const connection = loop.dial();
    const publisher = new RtmpPublisher({ random: new Uint8Array(1528), app: "live", key: KEY, tcUrl: "rtmp://origin/live" });
    const clip = new FlvLoop(demoFile);
    const buffer = new Uint8Array(65_536);
    publisher.advance(0);
    const step = (): void => {
      if (publisher.state === "publishing")
        for (let tag = clip.next(loop.time); tag !== undefined; tag = clip.next(loop.time))
          publisher.send(tag.type, tag.timestamp, tag.payload);
      for (let n = publisher.transmit(buffer, 0, buffer.length); n > 0; n = publisher.transmit(buffer, 0, buffer.length))
        connection.send(buffer.subarray(0, n));
      const answer = connection.received();
      publisher.receive(loop.time, answer, 0, answer.length);
      while (publisher.event() !== undefined);
      loop.pass(STEP_MS, STEP_MS);
    };
    const held = async (): Promise<number> => {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        collect();
        await new Promise((done) => setTimeout(done, 20));
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        least = Math.min(least, heapUsed + arrayBuffers);
      }
      return least;
    };
    const play = (minutes: number): void => {
      for (let i = 0; i < (minutes * 60_000) / STEP_MS; i++) step();
    };
    play(1);
    const early = await held();
    play(MINUTES - 1);
    const late = await held();
    const channel = origin.channels.get("demo")!;
    const { units } = channel.counters;
    // 30 pictures and 31.25 pieces of sound a second.
    assert.ok(Math.abs(units / (MINUTES * 60 * 61.25) - 1) < 0.02, `${units} units`);
    assert.equal(channel.segmenter!.counters.discontinuities, 0);
    assert.ok(channel.live && channel.window.listed.length <= 11);
    t.diagnostic(
      `held ${early} bytes after a minute, ${late} after ${MINUTES}; resident ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`,
    );
    assert.ok(late - early < 2_000_000, `${early} → ${late} bytes`);
  });
});
