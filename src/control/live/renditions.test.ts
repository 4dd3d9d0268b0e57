/** Renditions without ffmpeg, and without room; with it: npm run test:renditions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../host/log.ts";
import { NodeLoop } from "../../host/loop-node.ts";
import { liveConfig } from "../../live/config.ts";
import { Origin } from "../../live/origin.ts";
import { publishDemo } from "../testing/origin.ts";
import { Renditions, TranscoderPlaces } from "./renditions.ts";
import { transcodeArguments } from "./transcoder.ts";

function world(most: number, type = "STANDARD") {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { demo: "demo-key-0001" } }), loop, silentLog);
  const channel = origin.channels.get("demo")!;
  const told: string[] = [];
  const places = new TranscoderPlaces(most);
  const renditions = new Renditions(channel, {
    places,
    facts: () => ({ type, preset: "" }),
    now: () => 1,
    unavailable: (reason) => void told.push(reason),
    log: silentLog,
    command: "/no/such/ffmpeg",
  });
  return { channel, told, places, renditions, close: () => loop.stop() };
}

test("without ffmpeg it is said once a stream, its place is free again, and the stream goes on", async () => {
  const { channel, told, places, close } = world(1);
  publishDemo(channel, Date.now());
  assert.deepEqual([...channel.renditions.keys()], ["160p"]);
  for (let i = 0; i < 200 && told.length === 0; i++) await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(told, ["ffmpeg is not installed"]);
  assert.equal(places.taken, 0);
  assert.ok(channel.live && !channel.renditions.get("160p")!.live);
  channel.end(1);
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
