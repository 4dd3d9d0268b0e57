import assert from "node:assert/strict";
import { test } from "node:test";
import { AUDIO, FlvReader, firstTag, SCRIPT, VIDEO } from "./tag.ts";

const head = [0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0];
const audio = [AUDIO, 0, 0, 2, 0x00, 0x00, 0x21, 0x01, 0, 0, 0, 0xaf, 0x01, 0, 0, 0, 13];
const video = [VIDEO, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x17, 0, 0, 0, 12];

test("walks over the tags of a file", () => {
  const file = Uint8Array.from([...head, ...audio, ...video]);
  const reader = new FlvReader(file, firstTag(file));
  assert.equal(reader.next(), true);
  assert.deepEqual([reader.type, reader.timestamp, ...file.subarray(reader.start, reader.end)], [AUDIO, 0x0100_0021, 0xaf, 0x01]);
  assert.equal(reader.next(), true);
  assert.deepEqual([reader.type, reader.timestamp, ...file.subarray(reader.start, reader.end)], [VIDEO, 0xffff_ffff, 0x17]);
  assert.equal(reader.next(), false);
  assert.equal(reader.damaged, false);
});

test("a file without the last length is whole, one cut inside a tag is damaged", () => {
  const whole = new FlvReader(Uint8Array.from(audio.slice(0, 13)), 0);
  assert.equal(whole.next(), true);
  assert.equal(whole.next(), false);
  assert.equal(whole.damaged, false);
  for (let length = 1; length < 13; length++) {
    const cut = new FlvReader(Uint8Array.from(audio.slice(0, length)), 0);
    assert.equal(cut.next(), false, `${length} bytes`);
    assert.equal(cut.damaged, true, `${length} bytes`);
  }
});

test("encrypted tags are damage", () => {
  const reader = new FlvReader(Uint8Array.from([0x20 | SCRIPT, ...audio.slice(1)]), 0);
  assert.equal(reader.next(), false);
  assert.equal(reader.damaged, true);
});

test("other files are told apart", () => {
  assert.equal(firstTag(Uint8Array.from(head)), 13);
  assert.equal(firstTag(Uint8Array.from(head.slice(0, 12))), -1);
  assert.equal(firstTag(Uint8Array.from([0x47, ...head.slice(1)])), -1);
  assert.equal(firstTag(Uint8Array.from([...head.slice(0, 5), 0xff, 0xff, 0xff, 0xff])), -1);
});
