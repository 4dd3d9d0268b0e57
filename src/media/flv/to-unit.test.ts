import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Track, Unit } from "../unit.ts";
import { AUDIO, FlvReader, firstTag, VIDEO } from "./tag.ts";
import { FlvToUnit } from "./to-unit.ts";

const file = new Uint8Array(readFileSync(join(import.meta.dirname, "../../../assets/demo.flv")));
const record = Buffer.from("0164001fffe1001b6764001fac4c2205017fcb808800000300080000030" + "1e078c1908c01000668e84332c8b0fdf8f800", "hex");
const idr = [0, 0, 0, 2, 0x65, 0x88];
const slice = [0, 0, 0, 2, 0x41, 0x9a];

test("the demo has the tracks and units that ffprobe finds in it", () => {
  const { tracks, units, converter } = convert(file);
  assert.deepEqual(
    tracks.map((track) => ({ ...track, configuration: Buffer.from(track.configuration).toString("hex") })),
    [
      { kind: "video", codec: "avc1.64001f", width: 640, height: 360, framesPerSecond: 30, configuration: record.toString("hex") },
      { kind: "audio", codec: "mp4a.40.2", sampleRate: 32_000, channels: 2, samplesPerUnit: 1024, configuration: "1290" },
    ],
  );
  const video = units.filter(({ kind }) => kind === "video");
  const audio = units.filter(({ kind }) => kind === "audio");
  assert.equal(video.length, 120);
  assert.equal(audio.length, 125);
  assert.deepEqual(
    video.flatMap(({ keyframe }, i) => (keyframe ? [i] : [])),
    [0, 30, 60, 90],
    "a keyframe a second, no other",
  );
  assert.ok(
    video.every(({ dts, pts }, i) => dts === Math.round((i * 1000) / 30) * 1000 && pts === dts),
    "30 a second, none reordered",
  );
  assert.ok(audio.every(({ dts }, i) => dts === i * 32_000));
  assert.ok(units.every(({ arrival }) => arrival === 1_700_000_000_000));
  const { stats } = converter;
  assert.deepEqual([stats.damaged, stats.early, stats.dropped, stats.keyframesWithoutIdr, stats.configurations], [0, 0, 0, 0, 2]);
});

test("only a changed configuration makes another track, and pictures wait for a keyframe after it", () => {
  const converter = new FlvToUnit();
  const changed = Buffer.from(record);
  changed[3] = 0x28;
  video(converter, 0, 0x17, 0, record);
  video(converter, 0, 0x17, 1, idr);
  video(converter, 33, 0x17, 0, record);
  video(converter, 33, 0x27, 1, slice);
  video(converter, 66, 0x17, 0, changed);
  video(converter, 66, 0x27, 1, slice);
  video(converter, 99, 0x17, 1, idr);
  const { tracks, units } = drain(converter);
  assert.deepEqual(
    tracks.map(({ codec }) => codec),
    ["avc1.64001f", "avc1.640028"],
  );
  assert.deepEqual(
    units.map(({ dts, keyframe }) => [dts, keyframe]),
    [
      [0, true],
      [33_000, false],
      [99_000, true],
    ],
  );
  assert.equal(converter.stats.early, 1);
});

test("composition times shift presentation, also back; absurd ones count as none", () => {
  const converter = new FlvToUnit();
  video(converter, 0, 0x17, 0, record);
  converter.receive(VIDEO, 100, Uint8Array.of(0x17, 1, 0, 0, 80, ...idr), 0);
  converter.receive(VIDEO, 133, Uint8Array.of(0x27, 1, 0xff, 0xff, 0xd8, ...slice), 0);
  converter.receive(VIDEO, 166, Uint8Array.of(0x27, 1, 0x7f, 0xff, 0xff, ...slice), 0);
  assert.deepEqual(
    drain(converter).units.map(({ dts, pts }) => pts - dts),
    [80_000, -40_000, 0],
  );
  assert.equal(converter.stats.compositionTimes, 1);
});

test("two-byte lengths leave as four", () => {
  const converter = new FlvToUnit();
  const short = Buffer.from(record);
  short[4] = 0xfd;
  video(converter, 0, 0x17, 0, short);
  video(converter, 0, 0x17, 1, [0, 2, 0x65, 0x88]);
  const { tracks, units } = drain(converter);
  assert.deepEqual([...units[0]!.data], idr);
  assert.equal(tracks[0]!.configuration[4], 0xff);
});

test("H.264 and AAC behind the enhanced header", () => {
  const converter = new FlvToUnit();
  const avc1 = [0x61, 0x76, 0x63, 0x31];
  const mp4a = [0x6d, 0x70, 0x34, 0x61];
  converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...avc1, ...record), 0);
  converter.receive(VIDEO, 0, Uint8Array.of(0x91, ...avc1, 0, 0, 40, ...idr), 0);
  converter.receive(VIDEO, 33, Uint8Array.of(0xa3, ...avc1, ...slice), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x90, ...mp4a, 0x11, 0x90), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x91, ...mp4a, 0x21, 0x10), 0);
  const { tracks, units } = drain(converter);
  assert.deepEqual(
    tracks.map(({ codec }) => codec),
    ["avc1.64001f", "mp4a.40.2"],
  );
  assert.deepEqual(
    units.map(({ kind, pts, data }) => [kind, pts, [...data]]),
    [
      ["video", 40_000, idr],
      ["video", 33_000, slice],
      ["audio", 0, [0x21, 0x10]],
    ],
  );
});

const refusals: readonly (readonly [number, readonly number[], string])[] = [
  [VIDEO, [0x12, 0], "video codec 2 (H.263) is not supported; publish H.264, HEVC or AV1"],
  [VIDEO, [0x1d, 0, 0, 0, 0], "video codec 13 (AV1) is not supported; publish H.264, HEVC or AV1"],
  [VIDEO, [0x90, 0x76, 0x76, 0x63, 0x31, 1], "video codec vvc1 (VVC) is not supported; publish H.264, HEVC or AV1"],
  [VIDEO, [0x91, 0x76, 0x70, 0x30, 0x39, 1], "video codec vp09 (VP9) is not supported; publish H.264, HEVC or AV1"],
  [VIDEO, [0x90, 0x00, 0x22, 0x61, 0x62, 1], 'video codec "?"ab" is not supported; publish H.264, HEVC or AV1'],
  [VIDEO, [0x96, 0x00, 0x61, 0x76, 0x63, 0x31], "several video tracks in one stream are not supported; publish one"],
  [AUDIO, [0x2f, 0xff], "audio codec 2 (MP3) is not supported; publish AAC"],
  [AUDIO, [0x90, 0x4f, 0x70, 0x75, 0x73], "audio codec Opus (Opus) is not supported; publish AAC"],
];

for (const [type, payload, message] of refusals) {
  test(`refuses: ${message}`, () => {
    const converter = new FlvToUnit();
    converter.receive(type, 0, Uint8Array.from(payload), 0);
    const event = converter.event();
    assert.equal(event?.kind === "failed" && event.error.message, message);
    converter.receive(VIDEO, 0, Uint8Array.of(0x17, 0, 0, 0, 0, ...record), 0);
    assert.equal(converter.event(), undefined, "nothing follows a refusal");
  });
}

test("damage, early frames and commands are counted and make nothing", () => {
  const converter = new FlvToUnit();
  converter.receive(VIDEO, 0, new Uint8Array(0), 0);
  converter.receive(VIDEO, 0, Uint8Array.of(0x17, 1), 0);
  converter.receive(VIDEO, 0, Uint8Array.of(0x17, 0, 0, 0, 0, 1, 2, 3), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0xaf, 0, 0xff), 0);
  assert.equal(converter.stats.damaged, 4);
  converter.receive(AUDIO, 0, Uint8Array.of(0xaf, 1, 0x21), 0);
  video(converter, 0, 0x17, 1, idr);
  assert.equal(converter.stats.early, 2);
  video(converter, 0, 0x57, 1, [0]);
  video(converter, 0, 0x17, 2, []);
  assert.equal(converter.stats.ignored, 2);
  video(converter, 0, 0x17, 0, record);
  video(converter, 0, 0x17, 1, [0, 0, 0, 9, 0x65]);
  assert.equal(converter.stats.damaged, 5);
  assert.equal(drain(converter).units.length, 0);
});

test("a queue nobody empties stops growing, and the reason of a failure still finds room", () => {
  const converter = new FlvToUnit({ eventsMax: 3 });
  converter.receive(AUDIO, 0, Uint8Array.of(0xaf, 0, 0x11, 0x90), 0);
  for (let i = 0; i < 10; i++) converter.receive(AUDIO, i * 20, Uint8Array.of(0xaf, 1, 0x21), 0);
  assert.equal(converter.stats.dropped, 8);
  converter.receive(AUDIO, 0, Uint8Array.of(0x2f, 0), 0);
  const kinds: string[] = [];
  for (let event = converter.event(); event !== undefined; event = converter.event()) kinds.push(event.kind);
  assert.deepEqual(kinds, ["unit", "unit", "failed"]);
});

function video(converter: FlvToUnit, timestamp: number, first: number, packetType: number, data: Iterable<number>): void {
  converter.receive(VIDEO, timestamp, Uint8Array.from([first, packetType, 0, 0, 0, ...data]), 0);
}

function convert(bytes: Uint8Array): { tracks: Track[]; units: Unit[]; converter: FlvToUnit } {
  const converter = new FlvToUnit();
  const reader = new FlvReader(bytes, firstTag(bytes));
  while (reader.next()) converter.receive(reader.type, reader.timestamp, bytes.subarray(reader.start, reader.end), 1_700_000_000_000);
  assert.equal(reader.damaged, false);
  return { ...drain(converter), converter };
}

function drain(converter: FlvToUnit): { tracks: Track[]; units: Unit[] } {
  const tracks: Track[] = [];
  const units: Unit[] = [];
  for (let event = converter.event(); event !== undefined; event = converter.event()) {
    if (event.kind === "track") tracks.push(event.track);
    else if (event.kind === "unit") units.push(event.unit);
    else assert.fail(event.error.message);
  }
  return { tracks, units };
}
