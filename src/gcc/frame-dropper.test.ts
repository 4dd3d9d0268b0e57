import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameDropper } from "./frame-dropper.ts";

const K = 1000;

function dropsOf(dropper: FrameDropper, frames: number): number {
  let count = 0;
  for (let i = 0; i < frames; i++) if (dropper.drops()) count++;
  return count;
}

// Source: libwebrtc video_stream_encoder, UpdateTargetBitrate.
test("a reduction of a quarter drops every fourth frame and leaves three quarters of the rate", () => {
  const dropper = new FrameDropper();
  assert.equal(dropper.update(1000 * K, 0.25, 30 * K), 750 * K);
  assert.equal(dropsOf(dropper, 40), 10);
  assert.equal(dropper.dropped, 10);
});

test("at most every second frame, and no more than the encoder's minimum leaves", () => {
  const dropper = new FrameDropper();
  assert.equal(dropper.update(1000 * K, 0.9, 30 * K), 500 * K);
  assert.equal(dropsOf(dropper, 40), 20);
  // 100 of 400 may be saved: every fourth.
  assert.equal(dropper.update(400 * K, 0.9, 300 * K), 300 * K);
  assert.equal(dropper.interval, 4);
});

test("nothing is dropped for 1 %, without a target, or at the encoder's minimum", () => {
  const dropper = new FrameDropper();
  for (const [target, reduction, min] of [
    [1000 * K, 0.01, 30 * K],
    [1000 * K, 0, 30 * K],
    [0, 0.5, 30 * K],
    [30 * K, 0.5, 30 * K],
  ] as const) {
    dropper.update(1000 * K, 0.5, 0);
    assert.equal(dropper.update(target, reduction, min), target);
    assert.equal(dropsOf(dropper, 10), 0);
  }
});
