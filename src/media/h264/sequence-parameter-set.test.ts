import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { parseSequenceParameterSet } from "./sequence-parameter-set.ts";

/** Sets written by x264 and h264_metadata of ffmpeg 5.1; size, profile and rate as ffprobe reads them. */
const sets = [
  ["cropped 1080p, 30000/1001", "67640028acd940780227e5c04400000fa40003a9803c60c658", [100, 40, 1920, 1080, 30000 / 1001]],
  ["interlaced 1080", "67640028acd94078044fde0220000003002000000643e2c5b2c0", [100, 40, 1920, 1080, 25]],
  ["baseline", "6742c01fd900a02ff97011000003000100000300780f183248", [66, 31, 640, 360, 60]],
  ["4:4:4, odd size", "67f4000d919b282a33c7c5e022000003000200000300601e28532c", [244, 13, 322, 182, 24]],
  [
    "4:2:2, 10 bit, sample aspect ratio, colours, HRD",
    "677a001fb6cd940b435ea3f0eb5010101400000300040000030191810003d090007a13934e01e30632c0",
    [122, 31, 718, 402, 50],
  ],
  ["160×90", "6764000aacd9428df930110000030001000003001e0f122596", [100, 10, 160, 90, 15]],
] as const;

for (const [name, hex, expected] of sets) {
  test(`reads a sequence parameter set: ${name}`, () => {
    const set = parseSequenceParameterSet(Uint8Array.from(Buffer.from(hex, "hex")));
    assert.ok(set);
    assert.deepEqual([set.profile, set.level, set.width, set.height, set.framesPerSecond], expected);
  });
}

test("reads scaling lists, order count type 1 and a set without VUI", () => {
  // profile 100, level 30, id 0, 4:2:0, 8 bit twice, no bypass, scaling matrix: first list flat through "last = 0", seven absent;
  // frame number 4 bits, order count type 1 with a cycle of two, 1 reference, 20×15 macroblocks, frames only, no cropping, no VUI.
  const bits =
    "01100100 00000000 00011110 1 010 1 1 0 1 1 000010001 0000000 1 010 1 010 011 011 010 00100 010 0 000010100 0001111 1 1 0 0 1".replaceAll(
      " ",
      "",
    );
  const set = parseSequenceParameterSet(nal(bits));
  const chroma = { format: 1, lumaBits: 8, chromaBits: 8 };
  assert.deepEqual(set, { profile: 100, level: 30, width: 320, height: 240, framesPerSecond: 0, chroma });
});

test("a set that ends inside its VUI keeps its size and loses its rate", () => {
  const whole = Uint8Array.from(Buffer.from(sets[2][1], "hex"));
  const set = parseSequenceParameterSet(whole.subarray(0, 14));
  assert.deepEqual(set && [set.width, set.height, set.framesPerSecond], [640, 360, 0]);
});

test("damaged sets never throw and never name impossible pictures", () => {
  const seed = 0x5eed;
  const random = new Prng(seed);
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from(Buffer.from(sets[i % sets.length]![1], "hex"));
    for (let flips = random.below(6); flips >= 0; flips--) bytes[1 + random.below(bytes.length - 1)] = random.below(256);
    const set = parseSequenceParameterSet(bytes.subarray(0, 1 + random.below(bytes.length)));
    if (set === undefined) continue;
    const sane =
      set.width > 0 &&
      set.width <= 16_880 &&
      set.height > 0 &&
      set.height <= 16_880 &&
      set.framesPerSecond >= 0 &&
      set.framesPerSecond <= 1000;
    assert.ok(sane, `seed ${seed}, round ${i}: ${JSON.stringify(set)}`);
  }
});

test("other NAL units and endless ones are refused", () => {
  assert.equal(parseSequenceParameterSet(new Uint8Array(0)), undefined);
  assert.equal(parseSequenceParameterSet(Uint8Array.of(0x68, 0xeb, 0xe3)), undefined);
  assert.equal(parseSequenceParameterSet(Uint8Array.from([0x67, ...new Uint8Array(100_000)])), undefined);
});

function nal(bits: string): Uint8Array {
  const bytes = [0x67];
  for (let i = 0; i < bits.length; i += 8) bytes.push(Number.parseInt(bits.slice(i, i + 8).padEnd(8, "0"), 2));
  return Uint8Array.from(bytes);
}
