import assert from "node:assert/strict";
import { test } from "node:test";
import { Window, type WindowOptions } from "./window.ts";

const options: WindowOptions = { firstMsn: 10, segmentsMax: 4, segmentsKept: 2, bytesMax: 10_000, targetDuration: 2 };

function fill(
  window: Window,
  segments: number,
  { seconds = 2, bytes = 100, discontinuity = false, init = window.addInit(new Uint8Array(1)) } = {},
): void {
  for (let i = 0; i < segments; i++) {
    window.openSegment({ date: 0, discontinuity: discontinuity && i === 0, init, partTarget: 200_000 });
    for (let part = 0; part < 2; part++) {
      window.addPart({ bytes: new Uint8Array(bytes / 2).fill(part), duration: seconds * 500_000, independent: part === 0 }, part === 1);
    }
  }
}

const listed = (window: Window): number[] => window.listed.map(({ msn }) => msn);

test("the last segments are listed, a few older ones can be fetched, the rest is gone", () => {
  const window = new Window(options);
  fill(window, 20);
  assert.deepEqual(listed(window), [26, 27, 28, 29]);
  assert.deepEqual(
    [23, 24, 25, 26, 29, 30].map((msn) => window.segment(msn)?.msn),
    [undefined, 24, 25, 26, 29, undefined],
  );
  assert.equal(window.bytesHeld, 600);
  assert.deepEqual([window.nextMsn, window.nextPart], [30, 0]);
});

test("the playlist never lasts less than three target durations, and never has more than four times its segments", () => {
  const window = new Window(options);
  fill(window, 60, { seconds: 0.5 });
  assert.equal(listed(window).length, 12);
  const hasty = new Window(options);
  fill(hasty, 60, { seconds: 0.01 });
  assert.equal(listed(hasty).length, 16);
});

test("when bytes run out the oldest leave early, and it is counted", () => {
  const window = new Window(options);
  fill(window, 6, { bytes: 4000 });
  assert.deepEqual(listed(window), [14, 15]);
  assert.ok(window.bytesHeld <= 10_000);
  assert.ok(window.counters.evictedByBytes > 0);
});

test("a complete segment is held once: its parts are views of it", () => {
  const window = new Window(options);
  fill(window, 1);
  const segment = window.segment(10)!;
  assert.equal(segment.bytes!.length, 100);
  assert.deepEqual(
    segment.parts.map(({ bytes }) => [bytes.buffer === segment.bytes!.buffer, bytes[0], bytes.length]),
    [
      [true, 0, 50],
      [true, 1, 50],
    ],
  );
});

test("discontinuities that left the playlist are counted, init segments live as long as a segment needs them", () => {
  const window = new Window(options);
  fill(window, 3);
  fill(window, 4, { discontinuity: true });
  assert.equal(window.discontinuitySequence, 0);
  fill(window, 1, { init: 1 });
  assert.equal(window.discontinuitySequence, 1);
  assert.deepEqual([window.init(0)?.length, window.init(1)?.length], [1, 1]);
  fill(window, 2, { init: 1 });
  assert.deepEqual([window.init(0)?.length, window.init(1)?.length], [undefined, 1]);
  fill(window, 1, { discontinuity: true });
  window.clear();
  assert.equal(window.discontinuitySequence, 2);
  assert.deepEqual([listed(window), window.bytesHeld, window.nextMsn], [[], 0, 21]);
});

test("a window goes on where another is, its open segment included", () => {
  const [before, after] = [new Window(options), new Window({ ...options, firstMsn: 0 })];
  fill(before, 3);
  before.openSegment({ date: 0, discontinuity: false, init: 2, partTarget: 200_000 });
  after.follow(before);
  fill(after, 1);
  assert.deepEqual([before.nextMsn, listed(after)], [13, [14]]);
  assert.deepEqual([after.segment(14)!.init, after.version > before.version], [1, true]);
});
