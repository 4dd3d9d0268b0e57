import assert from "node:assert/strict";
import { test } from "node:test";
import type { AudioTrack, VideoTrack } from "../unit.ts";
import { initSegment } from "./init-segment.ts";
import { codecSupported } from "./sample-entry.ts";
import { find, outline, u32, walk } from "./testing/walk.ts";

const video: VideoTrack = {
  kind: "video",
  codec: "avc1.64001f",
  width: 1280,
  height: 720,
  framesPerSecond: 30,
  configuration: Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe0, 0),
};
const audio: AudioTrack = {
  kind: "audio",
  codec: "mp4a.40.2",
  sampleRate: 44_100,
  channels: 2,
  samplesPerUnit: 1024,
  configuration: Uint8Array.of(0x12, 0x10),
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("an init segment has the boxes of ISO/IEC 14496-12, one trak and one trex a track", () => {
  const trak = "trak(tkhd mdia(mdhd hdlr minf(vmhd dinf(dref) stbl(stsd stts stsc stsz stco))))";
  assert.equal(outline(walk(initSegment([video, audio]))), `ftyp moov(mvhd ${trak} ${trak.replace("vmhd", "smhd")} mvex(trex trex))`);
  assert.equal(outline(walk(initSegment([audio]))), `ftyp moov(mvhd ${trak.replace("vmhd", "smhd")} mvex(trex))`);
});

test("track headers carry number, clock and size", () => {
  const boxes = walk(initSegment([video, audio]));
  const tkhd = find(boxes, "moov/trak/tkhd");
  assert.deepEqual(
    tkhd.map((box) => u32(box, 12)),
    [1, 2],
  );
  assert.deepEqual(
    tkhd.map((box) => [u32(box, 76) / 65_536, u32(box, 80) / 65_536]),
    [
      [1280, 720],
      [0, 0],
    ],
  );
  assert.deepEqual(
    find(boxes, "moov/trak/mdia/mdhd").map((box) => u32(box, 12)),
    [90_000, 44_100],
  );
  const trex = find(boxes, "moov/mvex/trex");
  assert.deepEqual(
    trex.map((box) => [u32(box, 4), u32(box, 12), u32(box, 20)]),
    [
      [1, 0, 0x01010000],
      [2, 1024, 0x02000000],
    ],
  );
});

test("the sample entry of H.264 is the golden avc1 with avcC", () => {
  const [stsd] = find(walk(initSegment([video])), "moov/trak/mdia/minf/stbl/stsd");
  assert.equal(
    hex(stsd!.payload),
    "00000000" +
      "00000001" +
      "00000065" +
      "61766331" +
      "0000000000000001" +
      "00".repeat(16) +
      "050002d0" +
      "0048000000480000" +
      "00000000" +
      "0001" +
      "00".repeat(32) +
      "0018ffff" +
      "0000000f" +
      "61766343" +
      "0164001fffe000",
  );
});

test("the sample entry of AAC is the golden mp4a with esds", () => {
  const [stsd] = find(walk(initSegment([audio])), "moov/trak/mdia/minf/stbl/stsd");
  assert.equal(
    hex(stsd!.payload),
    "00000000" +
      "00000001" +
      "0000004b" +
      "6d703461" +
      "0000000000000001" +
      "0000000000000000" +
      "00020010" +
      "00000000" +
      "ac440000" +
      "00000027" +
      "65736473" +
      "00000000" +
      "0319" +
      "000000" +
      "0411" +
      "40150000000000000000000000" +
      "0502" +
      "1210" +
      "060102",
  );
});

test("the sample entry of Opus is the golden Opus with dOps", () => {
  const configuration = Uint8Array.of(0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0);
  const opus: AudioTrack = { kind: "audio", codec: "opus", sampleRate: 48_000, channels: 2, samplesPerUnit: 960, configuration };
  const [stsd] = find(walk(initSegment([opus])), "moov/trak/mdia/minf/stbl/stsd");
  const entry = "4f707573" + "0000000000000001" + "0000000000000000" + "00020010" + "00000000" + "bb800000";
  assert.equal(hex(stsd!.payload), `${"00000000" + "00000001" + "00000037"}${entry}${"00000013" + "644f7073"}000201380000bb80000000`);
});

test("codecs without a sample entry are told apart", () => {
  assert.deepEqual(["avc1.42c01e", "mp4a.40.2", "hvc1.1.6.L93.B0", "av01.0.04M.08", "opus", "mp4a.69", "vvc1.1", ""].map(codecSupported), [
    true,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
