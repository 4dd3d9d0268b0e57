import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { PathNoise } from "./path-noise.ts";

test("delays that differ behind pauses are noise; those of a queue that a burst fills are none", () => {
  const steady = new PathNoise();
  const noisy = new PathNoise();
  const prng = new Prng(1);
  for (let now = 0; now < 3000; now += 33) {
    // Twenty at once, half a millisecond each.
    for (let i = 0; i < 20; i++) steady.took(now, now, i / 2);
    noisy.took(now, now, prng.float() * 40);
  }
  assert.ok(steady.noise < 0.1, `${steady.noise}`);
  assert.equal(steady.quiet, true);
  assert.ok(noisy.noise > 7, `${noisy.noise}`);
  assert.equal(noisy.quiet, false);
});

test("a queue that has not let go what was sent before makes no noise", () => {
  const path = new PathNoise();
  for (let now = 0; now < 3000; now += 33) path.took(now, now, 60);
  // The first of all has nothing before it.
  assert.ok(path.noise < 60 && !path.reorders);
  const before = path.noise;
  for (let now = 3000; now < 6000; now += 33) path.took(now, now, 90);
  assert.equal(path.noise, before);
});

test("three segments that others have overtaken are no accident, and half a minute later they are forgotten", () => {
  const path = new PathNoise();
  path.took(0, 100, 0);
  for (let i = 0; i < 2; i++) path.took(i, 95, 0);
  assert.equal(path.reorders, false);
  path.overtaken(2, 0.4);
  assert.equal(path.reorders, false, "of one batch");
  path.overtaken(2, 4);
  path.overtaken(3, 4);
  assert.equal(path.reorders, true);
  path.overtaken(30_000, 4);
  assert.equal(path.reorders, false);
});
