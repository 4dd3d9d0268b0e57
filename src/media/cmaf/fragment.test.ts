import assert from "node:assert/strict";
import { test } from "node:test";
import type { AudioTrack, Unit, VideoTrack } from "../unit.ts";
import { Muxer } from "./fragment.ts";
import { type Box, find, outline, u32, walk } from "./testing/walk.ts";

const video: VideoTrack = {
  kind: "video",
  codec: "avc1.42c01e",
  width: 320,
  height: 180,
  framesPerSecond: 30,
  configuration: Uint8Array.of(1),
};
const audio: AudioTrack = {
  kind: "audio",
  codec: "mp4a.40.2",
  sampleRate: 48_000,
  channels: 2,
  samplesPerUnit: 1024,
  configuration: Uint8Array.of(0x11, 0x90),
};

function picture(ms: number, size: number, keyframe = false, offsetMs = 0): Unit {
  return { kind: "video", dts: ms * 1000, pts: (ms + offsetMs) * 1000, keyframe, data: new Uint8Array(size).fill(size), arrival: 0 };
}

function sound(ms: number, size: number): Unit {
  return { kind: "audio", dts: ms * 1000, pts: ms * 1000, keyframe: true, data: new Uint8Array(size).fill(size), arrival: 0 };
}

/** The rows of a trun: as many numbers as its flags say. */
function rows(trun: Box): number[][] {
  const flags = u32(trun, 0) & 0xffffff;
  const fields = [0x100, 0x200, 0x400, 0x800].filter((bit) => (flags & bit) !== 0).length;
  return Array.from({ length: u32(trun, 4) }, (_, i) => Array.from({ length: fields }, (_, j) => u32(trun, 12 + 4 * (i * fields + j))));
}

const time = (tfdt: Box): number => u32(tfdt, 4) * 2 ** 32 + u32(tfdt, 8);

test("a fragment is a moof with one traf a track and an mdat, exactly as long as its boxes", () => {
  const bytes = new Muxer([video, audio]).fragment([picture(0, 10, true), picture(33, 5)], [sound(0, 3)], 67_000);
  const boxes = walk(bytes);
  assert.equal(outline(boxes), "moof(mfhd traf(tfhd tfdt trun) traf(tfhd tfdt trun)) mdat");
  assert.equal(bytes.buffer.byteLength - bytes.length, 4, "room for one audio duration that was not needed, nothing more");
});

test("durations are differences of rounded times, flags tell key frames, composition offsets follow pts", () => {
  const [trun] = find(
    walk(new Muxer([video]).fragment([picture(0, 10, true, 66), picture(33, 5), picture(67, 6, false, 34)], [], 100_000)),
    "moof/traf/trun",
  );
  assert.deepEqual(rows(trun!), [
    [2970, 10, 0x02000000, 5940],
    [3060, 5, 0x01010000, 0],
    [2970, 6, 0x01010000, 3060],
  ]);
});

test("data offsets count from the moof to the first byte of each track", () => {
  const boxes = walk(new Muxer([video, audio]).fragment([picture(0, 10, true), picture(33, 5)], [sound(0, 3), sound(21, 4)], 67_000));
  const mdat = boxes[1]!;
  const offsets = find(boxes, "moof/traf/trun").map((trun) => u32(trun, 8) - mdat.at - 8);
  assert.deepEqual(offsets, [0, 15]);
  assert.deepEqual([...mdat.payload], [...Array(10).fill(10), ...Array(5).fill(5), 3, 3, 3, 4, 4, 4, 4]);
});

test("decode times are 64 bit and exact beyond 2^32 ticks", () => {
  const boxes = walk(new Muxer([video, audio]).fragment([picture(50_000_000, 1, true)], [sound(50_000_000, 1)], 50_000_033_000));
  assert.deepEqual(find(boxes, "moof/traf/tfdt").map(time), [4_500_000_000, 2_400_000_000]);
});

test("audio stamped in milliseconds runs on in whole frames, across fragments", () => {
  const muxer = new Muxer([audio]);
  const times: number[] = [];
  for (let fragment = 0; fragment < 50; fragment++) {
    const units = Array.from({ length: 9 }, (_, i) => sound(Math.floor(((fragment * 9 + i) * 1024) / 48), 1));
    const boxes = walk(muxer.fragment([], units, 0));
    assert.deepEqual(rows(find(boxes, "moof/traf/trun")[0]!), Array(9).fill([1]), "no durations are written: all are nominal");
    times.push(time(find(boxes, "moof/traf/tfdt")[0]!));
  }
  assert.deepEqual(
    times,
    Array.from({ length: 50 }, (_, i) => i * 9 * 1024),
  );
  assert.equal(muxer.audioResyncs, 0);
});

test("lost audio leaves a gap where it was, inside a fragment and between two", () => {
  const muxer = new Muxer([audio]);
  const inside = walk(muxer.fragment([], [sound(0, 1), sound(21, 1), sound(121, 1)], 0));
  assert.deepEqual(rows(find(inside, "moof/traf/trun")[0]!), [
    [1024, 1],
    [121 * 48 - 1024, 1],
    [1024, 1],
  ]);
  const after = walk(muxer.fragment([], [sound(500, 1)], 0));
  assert.equal(time(find(after, "moof/traf/tfdt")[0]!), 24_000);
  assert.equal(muxer.audioResyncs, 2);
});

test("time inside a fragment never runs backwards", () => {
  const boxes = walk(new Muxer([audio]).fragment([], [sound(500, 1), sound(0, 1), sound(21, 1)], 0));
  assert.deepEqual(rows(find(boxes, "moof/traf/trun")[0]!), [[1], [1], [1]]);
});

test("sequence numbers count fragments", () => {
  const muxer = new Muxer([video]);
  const numbers = [0, 33, 67].map((ms) =>
    u32(find(walk(muxer.fragment([picture(ms, 1, true)], [], (ms + 33) * 1000)), "moof/mfhd")[0]!, 4),
  );
  assert.deepEqual(numbers, [1, 2, 3]);
});
