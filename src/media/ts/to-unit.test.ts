/** The demo as a transport stream: what comes out is what went in, however it is cut, and what is missing is left out whole. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AUDIO, FlvReader, firstTag, VIDEO } from "../flv/tag.ts";
import { hevc } from "../flv/testing/coded-video.ts";
import { FlvToUnit } from "../flv/to-unit.ts";
import { parseDecoderConfiguration } from "../h265/decoder-configuration.ts";
import type { Track, Unit } from "../unit.ts";
import { TransportStreamWriter, VIDEO_PID, type WriterOptions } from "./testing/transport-stream.ts";
import { TsToUnit } from "./to-unit.ts";

const demo = ((): { tracks: Track[]; units: Unit[] } => {
  const file = new Uint8Array(readFileSync(join(import.meta.dirname, "../../../assets/demo.flv")));
  const flv = new FlvToUnit();
  const reader = new FlvReader(file, firstTag(file));
  const got = { tracks: [] as Track[], units: [] as Unit[] };
  while (reader.next()) {
    if (reader.type === VIDEO || reader.type === AUDIO) flv.receive(reader.type, reader.timestamp, file.slice(reader.start, reader.end), 0);
    collect(flv, got);
  }
  return got;
})();

function collect(from: Pick<TsToUnit, "event">, into: { tracks: Track[]; units: Unit[]; failed?: string }): void {
  for (let event = from.event(); event !== undefined; event = from.event()) {
    if (event.kind === "track") into.tracks.push(event.track);
    else if (event.kind === "unit") into.units.push(event.unit);
    else into.failed = event.error.message;
  }
}

function written(units: readonly Unit[], options: WriterOptions = {}, tracks: readonly Track[] = demo.tracks): TransportStreamWriter {
  const writer = new TransportStreamWriter(tracks, options);
  writer.tables();
  for (const unit of units) writer.unit(unit);
  return writer;
}

function read(bytes: Uint8Array, piece = bytes.length) {
  const ts = new TsToUnit();
  const got = { ts, tracks: [] as Track[], units: [] as Unit[], failed: "" };
  for (let at = 0; at < bytes.length; at += piece) {
    ts.receive(bytes.subarray(at, at + piece), 7);
    collect(ts, got);
  }
  ts.end(7);
  collect(ts, got);
  return got;
}

/** NAL units of a picture that are slices: delimiters and parameter sets need not be in it. */
function slices(data: Uint8Array): string {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let text = "";
  for (let at = 0; at < data.length; at += 4 + view.getUint32(at)) {
    const nal = data.subarray(at + 4, at + 4 + view.getUint32(at));
    if ((nal[0]! & 0x1f) <= 5) text += Buffer.from(nal).toString("base64");
  }
  return text;
}

for (const [how, piece, start] of [
  ["in one piece", Number.MAX_SAFE_INTEGER, 0],
  ["cut anywhere", 1000, 0],
  ["byte for byte", 1, 90_000],
  ["while its clock comes round", 1316, 2 ** 33 - 180_000],
] as const)
  test(`the demo's tracks and units are found in a transport stream ${how}`, () => {
    const { ts, tracks, units } = read(written(demo.units, { start }).finish(), piece);
    assert.deepEqual(
      tracks.sort((a, b) => b.kind.localeCompare(a.kind)),
      demo.tracks,
    );
    for (const kind of ["video", "audio"] as const) {
      const [wanted, got] = [demo.units, units].map((all) => all.filter((unit) => unit.kind === kind));
      assert.equal(got!.length, wanted!.length, kind);
      const shift = got![0]!.dts - wanted![0]!.dts;
      for (const [i, unit] of got!.entries()) {
        assert.ok(Math.abs(unit.dts - wanted![i]!.dts - shift) <= 12, `${kind} ${i}: ${unit.dts}`);
        assert.equal(unit.pts - unit.dts, wanted![i]!.pts - wanted![i]!.dts);
        assert.equal(unit.keyframe, wanted![i]!.keyframe);
        if (kind === "video") assert.equal(slices(unit.data), slices(wanted![i]!.data));
        else assert.deepEqual(unit.data, wanted![i]!.data);
      }
    }
    const { damaged, broken, skipped, dropped, early, timeless } = ts.stats;
    assert.deepEqual([damaged, broken, skipped, dropped, early, timeless, ts.gaps], [0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(ts.timelineStats, { backward: 0, restarts: 0, wraps24: 0 });
  });

test("a missing packet takes its picture with it and what follows up to the next key frame, and no sound", () => {
  const { packets } = written(demo.units);
  const lost = packets.findIndex(
    (packet, i) => i > 60 && (((packet[1]! & 0x1f) << 8) | packet[2]!) === VIDEO_PID && (packet[1]! & 0x40) === 0,
  );
  const kept = new Uint8Array(Buffer.concat(packets.filter((_, i) => i !== lost)));
  const { ts, units } = read(kept, 1316);
  const whole = read(new Uint8Array(Buffer.concat(packets))).units;
  const [video, sound] = (["video", "audio"] as const).map((kind) => units.filter((unit) => unit.kind === kind));
  assert.equal(ts.gaps, 1);
  assert.equal(sound!.length, whole.filter(({ kind }) => kind === "audio").length);
  const pictures = whole.filter(({ kind }) => kind === "video");
  const missing = pictures.filter(({ dts }) => !video!.some((unit) => unit.dts === dts));
  const first = pictures.indexOf(missing[0]!);
  assert.ok(missing.length >= 1 && missing.length <= 30, `${missing.length}`);
  assert.deepEqual(missing, pictures.slice(first, first + missing.length), "in one run");
  assert.equal(pictures[first + missing.length]!.keyframe, true, "up to a key frame");
});

test("HEVC: a configuration out of parameter sets in band", () => {
  const { codec, sequence } = parseDecoderConfiguration(hevc.record)!;
  const track: Track = { kind: "video", codec, ...sequence, framesPerSecond: 0, configuration: hevc.record };
  const units = hevc.pictures.map(
    (data, i): Unit => ({ kind: "video", dts: i * 40_000, pts: i * 40_000, keyframe: i % 2 === 0, data, arrival: 0 }),
  );
  const { tracks, units: got } = read(written(units, { videoType: 0x24, sets: setsOf(hevc.record) }, [track]).finish(), 188);
  assert.equal(tracks.length, 1);
  const [made] = tracks;
  assert.equal(made!.codec, codec);
  assert.deepEqual(made!.kind === "video" && [made!.width, made!.height], [96, 64]);
  // Both say the same; ours promises less about segmentation.
  assert.deepEqual(setsOf(made!.configuration), setsOf(hevc.record));
  assert.deepEqual(
    got.map(({ data }) => [...data]),
    hevc.pictures.map((data) => [...data]),
  );
  assert.deepEqual(
    got.map(({ keyframe }) => keyframe),
    [true, false, true],
  );
});

test("without a video codec that we carry the publisher is told which there are", () => {
  const { failed, units } = read(written(demo.units, { videoType: 0x02 }).finish());
  assert.match(failed, /stream types 0x2, 0xf\)/);
  assert.equal(units.length, 0);
});

test("an announced track that never comes holds the other up for a second only", () => {
  const { units, tracks } = read(written(demo.units.filter(({ kind }) => kind === "video")).finish(), 1316);
  assert.equal(tracks.length, 1);
  assert.equal(units.length, 120);
});

test("a picture larger than allowed is dropped and counted, and the stream goes on", () => {
  const ts = new TsToUnit({ pictureBytesMax: 3000 });
  const got = { tracks: [] as Track[], units: [] as Unit[] };
  ts.receive(written(demo.units).finish(), 0);
  collect(ts, got);
  assert.ok(ts.stats.broken > 0 && ts.stats.early > 0, JSON.stringify(ts.stats));
});

/** Parameter sets of an HEVCDecoderConfigurationRecord, in their order. */
function setsOf(record: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (let at = 23; at < record.length; ) {
    const count = (record[at + 1]! << 8) | record[at + 2]!;
    at += 3;
    for (let i = 0; i < count; i++) {
      const length = (record[at]! << 8) | record[at + 1]!;
      sets.push(record.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return sets;
}
