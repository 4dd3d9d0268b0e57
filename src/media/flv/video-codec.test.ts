/** HEVC and AV1 by Enhanced RTMP, from what real encoders made to Units and to the sample entries of a fragment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { initSegment } from "../cmaf/init-segment.ts";
import type { Track, Unit } from "../unit.ts";
import { VIDEO } from "./tag.ts";
import { av1, hevc } from "./testing/coded-video.ts";
import { FlvToUnit } from "./to-unit.ts";

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

function drain(converter: FlvToUnit): { tracks: Track[]; units: Unit[] } {
  const tracks: Track[] = [];
  const units: Unit[] = [];
  for (let event = converter.event(); event !== undefined; event = converter.event()) {
    if (event.kind === "track") tracks.push(event.track);
    else if (event.kind === "unit") units.push(event.unit);
    else throw event.error;
  }
  return { tracks, units };
}

function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text, 0, "latin1");
}

test("HEVC: configuration, random access points, composition times", () => {
  const converter = new FlvToUnit();
  converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...ascii("hvc1"), ...hevc.record), 0);
  for (const [i, picture] of hevc.pictures.entries())
    converter.receive(VIDEO, 40 * i, Uint8Array.of(0xa1, ...ascii("hvc1"), 0, 0, 80, ...picture), 0);
  const { tracks, units } = drain(converter);
  assert.match(tracks[0]!.codec, /^hvc1\.1\.6\.L30\.90$/);
  assert.deepEqual(
    tracks.map((track) => track.kind === "video" && [track.width, track.height]),
    [[96, 64]],
  );
  assert.deepEqual(
    units.map(({ keyframe, dts, pts }) => [keyframe, dts, pts - dts]),
    [
      [true, 0, 80_000],
      [false, 40_000, 80_000],
      [true, 80_000, 80_000],
    ],
  );
  assert.deepEqual(units[0]!.data, hevc.pictures[0]);
  const init = initSegment(tracks);
  assert.ok(holds(init, "hvc1") && holds(init, "hvcC"));
});

test("HEVC as encoders sent it before Enhanced RTMP", () => {
  const converter = new FlvToUnit();
  converter.receive(VIDEO, 0, Uint8Array.of(0x1c, 0, 0, 0, 0, ...hevc.record), 0);
  converter.receive(VIDEO, 0, Uint8Array.of(0x1c, 1, 0, 0, 40, ...hevc.pictures[0]!), 0);
  const { tracks, units } = drain(converter);
  assert.equal(tracks.length, 1);
  assert.deepEqual(
    units.map(({ keyframe, pts }) => [keyframe, pts]),
    [[true, 40_000]],
  );
});

test("AV1: configuration, key frames, temporal delimiters left out", () => {
  const converter = new FlvToUnit();
  const delimiter = [0x12, 0x00];
  converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...ascii("av01"), ...av1.record), 0);
  for (const [i, picture] of av1.pictures.entries())
    converter.receive(VIDEO, 40 * i, Uint8Array.of(0xa1, ...ascii("av01"), ...delimiter, ...picture), 0);
  const { tracks, units } = drain(converter);
  assert.match(tracks[0]!.codec, /^av01\.0\.00M\.08$/);
  assert.deepEqual(
    tracks.map((track) => track.kind === "video" && [track.width, track.height]),
    [[96, 64]],
  );
  assert.deepEqual(
    units.map(({ keyframe, dts }) => [keyframe, dts]),
    [
      [true, 0],
      [false, 40_000],
      [true, 80_000],
    ],
  );
  assert.deepEqual(units[1]!.data, av1.pictures[1]);
  const init = initSegment(tracks);
  assert.ok(holds(init, "av01") && holds(init, "av1C"));
});

test("a change of codec in mid-stream is another track, and pictures of the one before are dropped", () => {
  const converter = new FlvToUnit();
  converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...ascii("hvc1"), ...hevc.record), 0);
  converter.receive(VIDEO, 0, Uint8Array.of(0xa3, ...ascii("hvc1"), ...hevc.pictures[0]!), 0);
  converter.receive(VIDEO, 40, Uint8Array.of(0x90, ...ascii("av01"), ...av1.record), 0);
  converter.receive(VIDEO, 40, Uint8Array.of(0xa3, ...ascii("hvc1"), ...hevc.pictures[1]!), 0);
  converter.receive(VIDEO, 80, Uint8Array.of(0xa1, ...ascii("av01"), ...av1.pictures[0]!), 0);
  const { tracks, units } = drain(converter);
  assert.deepEqual(
    tracks.map(({ codec }) => codec.slice(0, 4)),
    ["hvc1", "av01"],
  );
  assert.deepEqual(
    units.map(({ dts }) => dts),
    [0, 80_000],
  );
  assert.equal(converter.stats.early, 1);
});

test("damaged records and pictures of every codec make nothing and do no harm", () => {
  for (const [fourCc, { record, pictures }] of [
    ["hvc1", hevc],
    ["av01", av1],
  ] as const) {
    for (let cut = 0; cut < record.length; cut++) {
      const converter = new FlvToUnit();
      converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...ascii(fourCc), ...record.subarray(0, cut)), 0);
      // A record may end before what is not needed; it never ends before the sequence's own set.
      const { tracks } = drain(converter);
      if (tracks.length > 0) assert.ok(cut > record.length / 2, `${fourCc} cut at ${cut}`);
    }
    const converter = new FlvToUnit();
    converter.receive(VIDEO, 0, Uint8Array.of(0x90, ...ascii(fourCc), ...record), 0);
    drain(converter);
    const damaged = pictures[0]!.slice();
    damaged[0] = 0xff;
    converter.receive(VIDEO, 0, Uint8Array.of(0xa3, ...ascii(fourCc), ...damaged), 0);
    assert.equal(drain(converter).units.length, 0);
    assert.equal(converter.stats.damaged, 1, fourCc);
  }
});
