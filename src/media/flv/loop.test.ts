import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FlvLoop } from "./loop.ts";
import { AUDIO, SCRIPT, VIDEO } from "./tag.ts";
import { FlvToUnit } from "./to-unit.ts";

const file = new Uint8Array(readFileSync(join(import.meta.dirname, "../../../assets/demo.flv")));

test("three rounds are one stream: even distances, configurations once, a keyframe a second", () => {
  const loop = new FlvLoop(file);
  assert.equal(loop.loopMillis, 4000);
  const converter = new FlvToUnit({ eventsMax: 4096 });
  const setup: number[] = [];
  for (let tag = loop.next(0), i = 0; i < 3 + 3 * 245; tag = loop.next(12_000), i++) {
    assert.ok(tag);
    if (i < 3) setup.push(tag.type);
    converter.receive(tag.type, tag.timestamp, tag.payload, 0);
  }
  assert.deepEqual(setup, [SCRIPT, VIDEO, AUDIO]);
  const video: number[] = [];
  const audio: number[] = [];
  const keyframes: number[] = [];
  for (let event = converter.event(); event !== undefined; event = converter.event()) {
    if (event.kind !== "unit") continue;
    (event.unit.kind === "video" ? video : audio).push(event.unit.dts);
    if (event.unit.kind === "video" && event.unit.keyframe) keyframes.push(event.unit.dts);
  }
  assert.deepEqual(
    audio,
    Array.from({ length: 375 }, (_, i) => i * 32_000),
  );
  assert.deepEqual(
    video,
    Array.from({ length: 360 }, (_, i) => Math.round((i * 1000) / 30) * 1000),
  );
  assert.deepEqual(
    keyframes,
    Array.from({ length: 12 }, (_, i) => i * 1_000_000),
  );
});

test("tags come when they are due, not before", () => {
  const loop = new FlvLoop(file);
  assert.equal(loop.deadline(), Number.POSITIVE_INFINITY);
  const start = 500;
  const due: number[] = [];
  for (let tag = loop.next(start); tag !== undefined; tag = loop.next(start)) due.push(tag.timestamp);
  assert.deepEqual(due, [0, 0, 0, 0, 0], "script data, two configurations, a picture, audio");
  assert.equal(loop.deadline(), start + 32);
  assert.equal(loop.next(start + 31.9), undefined);
  assert.equal(loop.next(start + 32)?.type, AUDIO);
});

test("timestamps wrap at 2^32 and a restart begins at zero with the configurations", () => {
  const loop = new FlvLoop(file);
  loop.next(0);
  let last = 0;
  for (let i = 0; i < 5000; i++) last = loop.next(2 ** 33)?.timestamp ?? -1;
  assert.ok(last > 80_000 && last < 82_000);
  loop.restart();
  assert.equal(loop.next(7)?.type, SCRIPT);
  assert.equal(loop.deadline(), 7);
});

test("what cannot be looped is a bug", () => {
  assert.throws(() => new FlvLoop(new Uint8Array(20)), /not FLV/);
  assert.throws(() => new FlvLoop(file.subarray(0, 5000)), /damaged/);
});
