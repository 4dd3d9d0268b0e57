import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { RttNoise } from "./rtt-noise.ts";

const FRAME_MS = 33;

test("round trips that differ behind pauses", () => {
  const noise = new RttNoise();
  const prng = new Prng(2);
  for (let at = 0; at < 9000; at += FRAME_MS) noise.sample(at, prng.float() * 30, 2);
  const found = noise.at(9000);
  assert.ok(found > 4 && found < 15, `${found}`);
  assert.equal(noise.at(20_000), 0, "nothing of late");
});

test("a few say nothing yet", () => {
  const noise = new RttNoise();
  for (let n = 0; n < 4; n++) noise.sample(n * FRAME_MS, (n % 2) * 20, 2);
  assert.equal(noise.at(300), 0);
  for (let n = 4; n < 12; n++) noise.sample(n * FRAME_MS, (n % 2) * 20, 2);
  assert.ok(noise.at(400) > 10);
});

test("timers, a queue that others fill and what is paced are none", () => {
  const timers = new RttNoise();
  const others = new RttNoise();
  const paced = new RttNoise();
  for (let n = 0; n < 300; n++) {
    timers.sample(n * FRAME_MS, n % 3, 2);
    others.sample(n * FRAME_MS, 20 + 6 * Math.sin(n / 20), 2);
    paced.sample(n * 40, (n % 2) * 36, 41);
  }
  assert.deepEqual(
    [timers, others, paced].map((noise) => noise.at(300 * FRAME_MS)),
    [0, 0, 0],
  );
});

test("what left while those before may still wait tells nothing", () => {
  const noise = new RttNoise();
  for (let n = 0; n < 300; n++) noise.sample(n * FRAME_MS, 30 + (n % 2) * 60, 2);
  assert.equal(noise.at(300 * FRAME_MS), 0);
});
