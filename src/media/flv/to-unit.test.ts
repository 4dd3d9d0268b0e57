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
  [AUDIO, [0x2f, 0xff], "audio codec 2 (MP3) is not supported; publish AAC or Opus"],
  [AUDIO, [0x90, 0x66, 0x4c, 0x61, 0x43], "audio codec fLaC (FLAC) is not supported; publish AAC or Opus"],
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

const avc1 = [0x61, 0x76, 0x63, 0x31];
const hvc1 = [0x68, 0x76, 0x63, 0x31];
const mp4a = [0x6d, 0x70, 0x34, 0x61];
/** Key frames of multitrack video begin with 0x96, others with 0xa6; the next byte: kind of multitrack, kind of packet. */
const [KEY, PREDICTED] = [0x96, 0xa6];

function sized(track: number, data: readonly number[]): number[] {
  return [track, data.length >> 16, (data.length >> 8) & 255, data.length & 255, ...data];
}

test("multitrack video as OBS sends it: the first picture in the classic form, others one a message with their track ids", () => {
  const converter = new FlvToUnit({ picturesMax: 2 });
  video(converter, 0, 0x17, 0, record);
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x00, ...avc1, 1, ...record), 0);
  video(converter, 0, 0x17, 1, idr);
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x01, ...avc1, 1, 0, 0, 40, ...idr), 0);
  video(converter, 33, 0x27, 1, slice);
  converter.receive(VIDEO, 33, Uint8Array.of(PREDICTED, 0x03, ...avc1, 1, ...slice), 0);
  assert.deepEqual(
    [...events(converter)].map(([kind, trackId, unit]) => [kind, trackId, unit?.dts, unit?.pts, unit?.keyframe]),
    [
      ["track", 0, undefined, undefined, undefined],
      ["track", 1, undefined, undefined, undefined],
      ["unit", 0, 0, 0, true],
      ["unit", 1, 0, 40_000, true],
      ["unit", 0, 33_000, 33_000, false],
      ["unit", 1, 33_000, 33_000, false],
    ],
    "one clock for both",
  );
});

test("multitrack video as FFmpeg 8.1 wrote it: three pictures of one moment, and their sound", () => {
  const recorded = new Uint8Array(readFileSync(join(import.meta.dirname, "testing/multitrack-ffmpeg-8.1.flv")));
  const converter = new FlvToUnit({ picturesMax: 3 });
  const reader = new FlvReader(recorded, firstTag(recorded));
  const heights = new Map<number, number>();
  const keys = new Map<number, string>();
  let [pictures, sounds] = [0, 0];
  while (reader.next()) {
    converter.receive(reader.type, reader.timestamp, recorded.subarray(reader.start, reader.end), 0);
    for (let event = converter.event(); event !== undefined; event = converter.event()) {
      if (event.kind === "failed") assert.fail(event.error.message);
      if (event.kind === "track" && event.track.kind === "video") heights.set(event.trackId, event.track.height);
      if (event.kind === "unit" && event.unit.kind === "video") pictures++;
      if (event.kind === "unit" && event.unit.kind === "audio") sounds++;
      if (event.kind === "unit" && event.unit.kind === "video" && event.unit.keyframe)
        keys.set(event.trackId, `${keys.get(event.trackId) ?? ""} ${event.unit.dts}`);
    }
  }
  assert.deepEqual(
    [...heights],
    [
      [0, 90],
      [1, 72],
      [2, 36],
    ],
  );
  assert.deepEqual([pictures, sounds, new Set(keys.values()).size], [60, 88, 1], "as ffprobe counts them");
  const { damaged, early, dropped } = converter.stats;
  assert.deepEqual([damaged, early, dropped], [0, 0, 0]);
});

test("Opus behind the enhanced header: its track begins with the first packet, which says how long it sounds", () => {
  const converter = new FlvToUnit();
  const opus = [0x4f, 0x70, 0x75, 0x73];
  const head = Buffer.from("4f707573486561640102380180bb0000000000", "hex");
  converter.receive(AUDIO, 0, Uint8Array.of(0x91, ...opus, 0xfc, 1), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x90, ...opus, ...head), 0);
  assert.equal(converter.event(), undefined);
  converter.receive(AUDIO, 0, Uint8Array.of(0x91, ...opus), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x91, ...opus, 0xfd, 2, 3), 0);
  converter.receive(AUDIO, 40, Uint8Array.of(0x91, ...opus, 0xfd, 4, 5), 0);
  const { tracks, units } = drain(converter);
  const configuration = Uint8Array.of(0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0);
  assert.deepEqual(tracks, [{ kind: "audio", codec: "opus", sampleRate: 48_000, channels: 2, samplesPerUnit: 1920, configuration }]);
  assert.deepEqual(
    units.map(({ dts, data }) => [dts, ...data]),
    [
      [0, 0xfd, 2, 3],
      [40_000, 0xfd, 4, 5],
    ],
  );
  assert.deepEqual([converter.stats.early, converter.stats.damaged], [2, 0]);
});

test("several tracks in one message, of one codec and of several", () => {
  const converter = new FlvToUnit({ picturesMax: 3 });
  const configurations = [0, 4, 9].flatMap((id) => sized(id, [...record]));
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x10, ...avc1, ...configurations), 0);
  const frames = [0, 4, 9].flatMap((id) => [...avc1, ...sized(id, [0, 0, id, ...idr])]);
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x21, ...frames), 0);
  const [tracks, units] = [[], []] as [number[], [number, number, number[]][]];
  for (const [kind, trackId, unit] of events(converter)) {
    if (kind === "track") tracks.push(trackId);
    else units.push([trackId, unit!.pts, [...unit!.data]]);
  }
  assert.deepEqual(tracks, [0, 4, 9]);
  assert.deepEqual(units, [
    [0, 0, idr],
    [4, 4000, idr],
    [9, 9000, idr],
  ]);
  assert.equal(converter.stats.damaged, 0);
});

test("more pictures than are allowed end the stream with a sentence; tracks of other sound do not", () => {
  const converter = new FlvToUnit();
  converter.receive(AUDIO, 0, Uint8Array.of(0x90, ...mp4a, 0x11, 0x90), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x95, 0x00, ...mp4a, 1, 0x12, 0x10), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x95, 0x01, ...mp4a, 1, 0x21, 0x10), 0);
  converter.receive(AUDIO, 0, Uint8Array.of(0x95, 0x11, ...mp4a, ...sized(0, [0x21, 0x11]), ...sized(1, [0x21, 0x12])), 0);
  const { tracks, units } = drain(converter);
  assert.deepEqual([tracks.length, converter.stats.otherSound], [1, 3]);
  assert.deepEqual(
    units.map(({ data }) => [...data]),
    [[0x21, 0x11]],
  );
  video(converter, 0, 0x17, 0, record);
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x00, ...avc1, 1, ...record), 0);
  assert.equal(converter.event()?.kind, "track");
  const event = converter.event();
  assert.equal(event?.kind === "failed" && event.error.message, "multitrack video is not allowed here; publish one picture");
});

test("what ModEx says is read over, short and long", () => {
  const converter = new FlvToUnit();
  converter.receive(VIDEO, 0, Uint8Array.of(0x97, 2, 0, 1, 2, 0x00, ...avc1, ...record), 0);
  converter.receive(
    VIDEO,
    0,
    Uint8Array.of(0x97, 255, 1, 0, ...new Array<number>(257).fill(9), 0x07, 0, 7, 0x01, ...avc1, 0, 0, 0, ...idr),
    0,
  );
  assert.deepEqual(
    drain(converter).units.map(({ data }) => [...data]),
    [idr],
  );
  assert.equal(converter.stats.damaged, 0);
});

test("damaged tracks are counted: sizes past the end, kinds that are none, tracks in tracks", () => {
  const converter = new FlvToUnit({ picturesMax: 4 });
  const damaged: readonly (readonly number[])[] = [
    [KEY],
    [KEY, 0x00],
    [KEY, 0x00, ...avc1],
    [KEY, 0x10, ...avc1, 0, 0, 0, 9, 1],
    [KEY, 0x10, ...avc1, 0, 0xff, 0xff, 0xff],
    [KEY, 0x30, ...avc1, 0],
    [KEY, 0x06, ...avc1, 0],
    [KEY, 0x21, 0x61],
    [0x97],
    [0x97, 255, 255],
    [0x97, 9, 1],
    [0xa7, 0, 0, 0x06],
  ];
  for (const payload of damaged) {
    const before = converter.stats.damaged;
    converter.receive(VIDEO, 0, Uint8Array.from(payload), 0);
    assert.equal(converter.stats.damaged, before + 1, `${payload}`);
  }
  assert.equal(converter.event(), undefined);
  converter.receive(VIDEO, 0, Uint8Array.of(KEY, 0x20, ...avc1, ...sized(0, [...record]), ...hvc1, 1, 0, 0, 5), 0);
  assert.equal(converter.event()?.kind, "track", "what comes before the damage counts");
});

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

function* events(converter: FlvToUnit): Iterable<readonly ["track" | "unit", number, Unit?]> {
  for (let event = converter.event(); event !== undefined; event = converter.event()) {
    if (event.kind === "failed") assert.fail(event.error.message);
    yield event.kind === "track" ? ["track", event.trackId] : ["unit", event.trackId, event.unit];
  }
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
