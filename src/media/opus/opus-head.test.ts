import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOpusHead } from "./opus-head.ts";
import { samplesOf } from "./packet.ts";

/** As FFmpeg writes it: stereo, pre-skip 312, 48 kHz. */
const stereo = Buffer.from("4f70757348656164010238018 0bb00000000 00".replaceAll(" ", ""), "hex");

test("OpusHead becomes dOps: version 0, numbers the other way round", () => {
  const head = parseOpusHead(stereo);
  assert.equal(head?.channels, 2);
  assert.deepEqual([...head.configuration], [0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);
  const surround = Buffer.concat([stereo.subarray(0, 9), Buffer.of(6), stereo.subarray(10, 18), Buffer.of(1, 4, 2, 0, 4, 1, 2, 3, 5, 99)]);
  assert.deepEqual([...parseOpusHead(surround)!.configuration.subarray(10)], [1, 4, 2, 0, 4, 1, 2, 3, 5], "with its mapping, and no more");
});

test("what is no OpusHead, or one that nobody decodes", () => {
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = new Uint8Array(stereo);
    bytes[at] = value;
    return bytes;
  };
  for (const [at, value] of [
    [0, 0x6f],
    [8, 0x10],
    [9, 0],
    [9, 3],
    [18, 2],
    [18, 1],
  ] as const)
    assert.equal(parseOpusHead(changed(at, value)), undefined, `byte ${at}: ${value}`);
  for (let length = 0; length < stereo.length; length++) assert.equal(parseOpusHead(stereo.subarray(0, length)), undefined);
});

test("how long a packet sounds", () => {
  const of = (...bytes: number[]): number => samplesOf(Uint8Array.from(bytes));
  assert.equal(of(0xfc), 960, "CELT, 20 ms");
  assert.equal(of(0xe0), 120, "CELT, 2.5 ms");
  assert.equal(of(0x18), 2880, "SILK, 60 ms");
  assert.equal(of(0x68), 960, "hybrid, 20 ms");
  assert.equal(of(0xfd), 1920, "two frames");
  assert.equal(of(0xff, 3), 2880, "three");
  assert.deepEqual([of(), of(0xff), of(0xff, 0x3f), of(0x1b, 3)], [0, 0, 0, 0], "none, no count, longer than 120 ms");
});
