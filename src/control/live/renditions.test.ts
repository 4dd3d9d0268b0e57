/** Renditions without ffmpeg, without room, and behind the end of a stream, where a program stands in for ffmpeg; with it: npm run test:renditions. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLog } from "../../host/log.ts";
import { NodeLoop } from "../../host/loop-node.ts";
import type { Channel } from "../../live/channel.ts";
import { liveConfig } from "../../live/config.ts";
import { Origin } from "../../live/origin.ts";
import { demoFile } from "../../live/testing/encoder.ts";
import { publishDemo } from "../testing/origin.ts";
import { Renditions, TranscoderPlaces } from "./renditions.ts";
import { transcodeArguments } from "./transcoder.ts";

function world(most: number, type = "STANDARD", command = "/no/such/ffmpeg", tailMax = 5000) {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { demo: "demo-key-0001" } }), loop, silentLog);
  const channel = origin.channels.get("demo")!;
  const told: string[] = [];
  const places = new TranscoderPlaces(most);
  const renditions = new Renditions(channel, {
    places,
    facts: () => ({ type, preset: "" }),
    now: () => origin.now(),
    unavailable: (reason) => void told.push(reason),
    log: silentLog,
    command,
    tailMax,
  });
  return { origin, channel, told, places, renditions, close: () => loop.stop() };
}

test("without ffmpeg it is said once a stream, its place is free again, and the stream goes on", async () => {
  const { origin, channel, told, places, close } = world(1);
  publishDemo(channel, Date.now());
  assert.deepEqual([...channel.renditions.keys()], ["160p"]);
  for (let i = 0; i < 200 && told.length === 0; i++) await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(told, ["ffmpeg is not installed"]);
  assert.equal(places.taken, 0);
  assert.ok(channel.live && !channel.renditions.get("160p")!.live);
  channel.end(origin.now());
  publishDemo(channel, Date.now());
  assert.deepEqual(told, ["ffmpeg is not installed", "ffmpeg is not installed"], "and no process is begun for it");
  assert.equal(places.counters.begun, 1);
  close();
});

test("without room it is said, and types without renditions take none", () => {
  const full = world(0);
  publishDemo(full.channel, Date.now());
  assert.deepEqual(full.told, ["as many streams as allowed are transcoded already"]);
  assert.equal(full.places.counters.refused, 1);
  full.close();
  const basic = world(1, "BASIC");
  publishDemo(basic.channel, Date.now());
  assert.deepEqual([basic.told, basic.places.counters.begun], [[], 0]);
  basic.close();
});

/** Stands in for ffmpeg: reads all that it is given, and then does this, with the demo in $DEMO and its first rendition's pipe as 3. */
function program(t: TestContext, then: string): string {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-renditions-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "demo.flv"), demoFile);
  writeFileSync(join(folder, "ffmpeg"), `#!/bin/sh\nDEMO=${folder}/demo.flv\ncat > /dev/null\n${then}\n`, { mode: 0o755 });
  return join(folder, "ffmpeg");
}

function durations({ window }: Channel): number[] {
  return window.listed.map(({ duration }) => Math.round(duration / 1000));
}

test("what a transcoder holds when the stream ends comes into its rendition before that ends", async (t) => {
  const { origin, channel, places, renditions, close } = world(1, "STANDARD", program(t, "sleep 0.1; cat $DEMO >&3"));
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  const rendition = channel.renditions.get("160p")!;
  assert.deepEqual([rendition.live, places.taken], [true, 0], "it goes on, and its place is free");
  await renditions.close();
  assert.deepEqual([rendition.live, durations(rendition)], [false, durations(channel)]);
  assert.equal(places.counters.cut, 0);
  close();
});

test("a transcoder that does not end is ended, and counted", async (t) => {
  const { origin, channel, places, renditions, close } = world(1, "STANDARD", program(t, "exec sleep 60"), 50);
  publishDemo(channel, Date.now());
  channel.end(origin.now());
  await renditions.close();
  assert.deepEqual([channel.renditions.get("160p")!.live, places.counters.cut], [false, 1]);
  close();
});

test("an encoder that comes and goes has so many transcoders that end, and no more", async (t) => {
  const { origin, channel, places, renditions, close } = world(1, "STANDARD", program(t, "sleep 0.1; cat $DEMO >&3"));
  for (let i = 0; i < 4; i++) {
    publishDemo(channel, Date.now());
    channel.end(origin.now());
  }
  await renditions.close();
  assert.deepEqual(places.counters, { begun: 4, refused: 0, failed: 0, cut: 2 });
  close();
});

test("a stream that follows at once neither waits for the end of the one before nor has anything of it", async (t) => {
  const { origin, channel, places, renditions, close } = world(1, "STANDARD", program(t, "sleep 0.3; cat $DEMO >&3"));
  const [first, second] = [Date.now(), Date.now() + 60_000];
  publishDemo(channel, first, undefined, true);
  channel.end(origin.now());
  const before = channel.renditions.get("160p")!;
  publishDemo(channel, second, undefined, true);
  const after = channel.renditions.get("160p")!;
  assert.notEqual(before, after);
  assert.deepEqual([before.live, after.live, places.taken, places.counters.refused], [true, true, 1, 0]);
  const numbers = [after.window.nextMsn, channel.window.listed.find(({ date }) => date >= second)!.msn];
  assert.equal(numbers[0], numbers[1], "the encoder's numbers");
  channel.end(origin.now());
  await renditions.close();
  const own = channel.window.listed.filter(({ date }) => date >= second);
  for (const [{ window }, from] of [
    [before, first],
    [after, second],
  ] as const) {
    const seconds = window.listed.reduce((sum, { duration }) => sum + duration, 0) / 1e6;
    assert.ok(Math.abs(seconds - 4) < 0.05, `${seconds} of 4 s`);
    assert.ok(window.listed.every(({ date }) => date >= from && date < from + 10_000));
  }
  assert.deepEqual(
    after.window.listed.map(({ msn, discontinuity }) => [msn, discontinuity]),
    own.map(({ msn, discontinuity }) => [msn, discontinuity]),
  );
  const sequence = after.window.discontinuitySequence;
  assert.equal(sequence, channel.window.listed.filter(({ date, discontinuity }) => discontinuity && date < second).length);
  close();
});

test("sound that FLV cannot carry is coded anew whatever the rung", () => {
  const opus = {
    kind: "audio",
    codec: "opus",
    sampleRate: 48_000,
    channels: 2,
    samplesPerUnit: 960,
    configuration: new Uint8Array(),
  } as const;
  const rung = { name: "480p", height: 480, videoRate: 1_200_000, audioRate: 0 };
  assert.ok(transcodeArguments([opus], [rung]).includes("aac"));
  assert.ok(!transcodeArguments([{ ...opus, codec: "mp4a.40.2" }], [rung]).includes("aac"));
});
