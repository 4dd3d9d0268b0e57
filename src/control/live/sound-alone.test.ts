import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../host/log.ts";
import { NodeLoop } from "../../host/loop-node.ts";
import { liveConfig } from "../../live/config.ts";
import { Origin } from "../../live/origin.ts";
import { publishDemo } from "../testing/origin.ts";
import { SoundAlone } from "./sound-alone.ts";

function world(type: string) {
  const loop = new NodeLoop();
  const origin = new Origin(liveConfig.parse({ channels: { demo: "demo-key-0001" } }), loop, silentLog);
  const channel = origin.channels.get("demo")!;
  const sound = new SoundAlone(channel, { type: () => type, now: () => 1 });
  return { channel, sound, close: () => loop.stop() };
}

test("an ADVANCED channel has its sound alone, in the segments of the picture", () => {
  const { channel, close } = world("ADVANCED_SD");
  publishDemo(channel, Date.now(), (track) => track, true);
  const alone = channel.renditions.get("audio_only")!;
  assert.deepEqual(
    alone.tracks.map(({ kind }) => kind),
    ["audio"],
  );
  const own = channel.window.listed.filter(({ complete }) => complete);
  const others = alone.window.listed.filter(({ complete }) => complete);
  assert.ok(own.length >= 2 && others.length >= own.length - 1, `${others.length} of ${own.length}`);
  for (const segment of others) {
    const beside = own.find(({ msn }) => msn === segment.msn);
    assert.ok(beside, `segment ${segment.msn}`);
    const apart = [Math.abs(segment.duration - beside.duration) / 1000, Math.abs(segment.date - beside.date)];
    assert.ok(Math.max(...apart) < 30, `${segment.msn}: ${apart} ms apart`);
  }
  channel.end(1);
  assert.equal(alone.live, false);
  publishDemo(channel, Date.now());
  assert.ok(alone.live, "and with the next encoder again");
  close();
});

test("other types have none, nor has a stream without sound or picture", () => {
  const standard = world("STANDARD");
  publishDemo(standard.channel, Date.now());
  assert.equal(standard.channel.renditions.size, 0);
  standard.close();
  const { channel, sound, close } = world("ADVANCED_HD");
  publishDemo(channel, Date.now());
  const tracks = [...channel.tracks];
  assert.ok(channel.renditions.get("audio_only")!.live);
  for (const kind of ["audio", "video"] as const) {
    channel.configure(tracks.filter((track) => track.kind === kind));
    assert.equal(channel.renditions.get("audio_only")!.live, false, `${kind} alone`);
  }
  sound.close();
  assert.equal(channel.listeners.size, 0);
  close();
});
