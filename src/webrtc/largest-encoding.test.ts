import assert from "node:assert/strict";
import { test } from "node:test";
import { LargestEncoding } from "./largest-encoding.ts";

const pixels: Readonly<Record<string, number>> = { h: 1280 * 720, m: 640 * 360, l: 320 * 180 };
const frame = 33_333;

/** Pictures of these encodings for so long, key frames where they are wanted. Answers when it ends, and who stood for the stream on the way. */
function come(encodings: LargestEncoding, from: number, seconds: number, rids: string): [now: number, own: string] {
  let now = from;
  let own = "";
  for (; now < from + seconds * 1_000_000; now += frame) {
    for (const rid of rids) {
      const changed = encodings.picture(now, rid, pixels[rid]!, encodings.wanted === rid || encodings.own === "");
      assert.ok(!changed || encodings.own === rid);
    }
    if (!own.endsWith(encodings.own)) own += encodings.own;
  }
  return [now, own];
}

test("the first that comes, then the largest once it has come for a while", () => {
  const encodings = new LargestEncoding();
  let [now, own] = come(encodings, 0, 1, "l");
  assert.equal(own, "l");
  [now, own] = come(encodings, now, 1, "lm");
  assert.equal(own, "l");
  [now, own] = come(encodings, now, 2.5, "lmh");
  assert.equal(own, "lmh", "m had come long enough before h had");
  assert.deepEqual([encodings.own, encodings.changes], ["h", 2]);
});

test("the largest left when the own one stops, and back when it has come again for a while", () => {
  const encodings = new LargestEncoding();
  let [now, own] = come(encodings, 0, 3, "hml");
  assert.equal(own, "h");
  [now, own] = come(encodings, now, 0.9, "ml");
  assert.equal(own, "h", "it may only be late");
  [now, own] = come(encodings, now, 0.3, "ml");
  assert.equal(own, "hm");
  [now, own] = come(encodings, now, 1.5, "hml");
  assert.equal(own, "m");
  [now, own] = come(encodings, now, 1, "hml");
  assert.equal(own, "mh");
});

test("only a key frame changes anything, and it is told whose", () => {
  const encodings = new LargestEncoding();
  assert.equal(encodings.picture(0, "l", 1, false), false);
  assert.deepEqual([encodings.own, encodings.wanted], ["", "l"]);
  assert.equal(encodings.picture(frame, "l", 1, true), true);
  for (let now = frame; now < 3_000_000; now += frame) {
    encodings.picture(now, "l", 1, true);
    assert.equal(encodings.picture(now, "h", 9, false), false);
  }
  assert.deepEqual([encodings.own, encodings.wanted], ["l", "h"]);
  assert.equal(encodings.picture(3_000_000, "h", 9, true), true);
});
