import assert from "node:assert/strict";
import { test } from "node:test";
import { AUDIO_TRACK, Timeline, VIDEO_TRACK } from "./timeline.ts";

test("32-bit timestamps go on past their wrap", () => {
  const timeline = new Timeline();
  const start = timeline.map(VIDEO_TRACK, 0xffff_fff0);
  assert.equal(timeline.map(VIDEO_TRACK, 0x0000_0011) - start, 33_000);
  assert.equal(timeline.map(AUDIO_TRACK, 0x0000_0010) - start, 32_000);
  assert.deepEqual(timeline.stats, { backward: 0, restarts: 0, wraps24: 0 });
});

test("24-bit timestamps go on past their wrap", () => {
  const timeline = new Timeline();
  const start = timeline.map(VIDEO_TRACK, 0xff_fff0);
  assert.equal(timeline.map(AUDIO_TRACK, 0xff_fffa) - start, 10_000);
  assert.equal(timeline.map(VIDEO_TRACK, 0x00_0011) - start, 33_000);
  assert.equal(timeline.map(AUDIO_TRACK, 0x00_0010) - start, 32_000);
  assert.equal(timeline.stats.wraps24, 2);
  assert.equal(timeline.stats.restarts, 0);
});

test("a small step back keeps the order of decoding and is counted", () => {
  const timeline = new Timeline();
  const times = [0, 33, 30, 31, 66].map((timestamp) => timeline.map(VIDEO_TRACK, timestamp));
  assert.deepEqual(times, [0, 33_000, 33_100, 33_200, 66_000]);
  assert.equal(timeline.stats.backward, 2);
});

test("an encoder that starts anew goes on where it was, with audio and video together", () => {
  const timeline = new Timeline();
  for (let i = 0; i <= 900; i++) timeline.map(VIDEO_TRACK, 100_000 + i * 33);
  const audio = timeline.map(AUDIO_TRACK, 129_700);
  const restarted = timeline.map(VIDEO_TRACK, 0);
  assert.ok(restarted > audio && restarted - audio < 100_000, `${restarted - audio} µs after the last unit`);
  assert.equal(timeline.map(AUDIO_TRACK, 5) - restarted, 5000);
  assert.equal(timeline.map(VIDEO_TRACK, 33) - restarted, 33_000);
  assert.equal(timeline.stats.restarts, 1);
});

test("a track that paused comes back in time with the other", () => {
  const timeline = new Timeline();
  const start = timeline.map(VIDEO_TRACK, 0);
  for (let at = 0; at <= 60_000; at += 20) timeline.map(AUDIO_TRACK, at);
  assert.equal(timeline.map(VIDEO_TRACK, 60_000) - start, 60_000_000);
  assert.equal(timeline.stats.restarts, 0);
});

test("streams that begin anywhere begin near zero", () => {
  const timeline = new Timeline();
  assert.equal(timeline.map(VIDEO_TRACK, 3_000_000_000), 1_000_000);
  assert.equal(timeline.map(AUDIO_TRACK, 2_999_999_980), 980_000);
  assert.equal(new Timeline().map(AUDIO_TRACK, 21), 21_000);
});

test("tracks on unrelated clocks are each continuous", () => {
  const timeline = new Timeline();
  const video = timeline.map(VIDEO_TRACK, 0);
  const audio = timeline.map(AUDIO_TRACK, 1_000_000);
  for (let i = 1; i < 100; i++) {
    assert.equal(timeline.map(VIDEO_TRACK, i * 40) - video, i * 40_000);
    assert.equal(timeline.map(AUDIO_TRACK, 1_000_000 + i * 20) - audio, i * 20_000);
  }
  assert.equal(timeline.stats.restarts, 1);
});
