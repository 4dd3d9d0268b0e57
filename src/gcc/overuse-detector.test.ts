/** Arithmetic of reference/gcc.md C1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OveruseDetector } from "./overuse-detector.ts";

test("overuse needs more than 10 ms above the threshold, two samples and a slope that does not fall", () => {
  const short = new OveruseDetector();
  short.detect(13, 1, 30, 0);
  assert.equal(short.state, "normal", "15 ms, but one sample");
  short.detect(13, 1, 5, 5);
  assert.equal(short.state, "overusing");

  const brief = new OveruseDetector();
  brief.detect(13, 1, 8, 0);
  brief.detect(13, 1, 6, 6);
  assert.equal(brief.state, "normal", "4 + 6 ms are not more than 10");
  brief.detect(13, 1, 1, 7);
  assert.equal(brief.state, "overusing");

  const falling = new OveruseDetector();
  falling.detect(13, 1, 30, 0);
  falling.detect(13, 0.9, 30, 30);
  assert.equal(falling.state, "normal");
  falling.detect(13, 0.9, 30, 60);
  assert.equal(falling.state, "overusing");
});

test("a signal below the negative threshold is an underuse, between the two normal", () => {
  const detector = new OveruseDetector();
  detector.detect(-12.6, -1, 20, 0);
  assert.equal(detector.state, "underusing");
  detector.detect(-12.4, -1, 20, 20);
  assert.equal(detector.state, "normal");
});

test("the threshold follows the signal, at most 100 ms at a time, within 6…600, and not to spikes", () => {
  const detector = new OveruseDetector();
  detector.detect(0, 0, 20, 1000);
  assert.equal(detector.threshold, 12.5, "no time has passed before the first sample");
  detector.detect(10, 0, 20, 1020);
  assert.ok(Math.abs(detector.threshold - (12.5 + 0.039 * (10 - 12.5) * 20)) < 1e-12);
  const lower = detector.threshold;
  detector.detect(12, 0, 20, 1030);
  assert.ok(Math.abs(detector.threshold - (lower + 0.0087 * (12 - lower) * 10)) < 1e-12);
  const spike = detector.threshold;
  detector.detect(spike + 15.1, 0, 20, 1040);
  assert.equal(detector.threshold, spike);
  detector.detect(spike - 1, 0, 20, 5000);
  assert.ok(Math.abs(detector.threshold - (spike - 0.039 * 100)) < 1e-9, "of 3960 ms only 100 count");
  detector.detect(0, 0, 20, 6000);
  assert.equal(detector.threshold, 6, "100 ms downwards pass the floor");
  for (let i = 0; i < 2000; i++) detector.detect(detector.threshold + 14, 0, 20, 6000 + 100 * i);
  assert.equal(detector.threshold, 600);
});

test("reset forgets all", () => {
  const detector = new OveruseDetector();
  for (let i = 0; i < 10; i++) detector.detect(20, 1, 20, i * 20);
  assert.equal(detector.state, "overusing");
  detector.reset();
  assert.equal(detector.state, "normal");
  assert.equal(detector.threshold, 12.5);
});
