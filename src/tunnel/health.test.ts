import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { Health } from "./health.ts";

test("silence counts only while something waits, from when it began, and ends with a packet", () => {
  const health = new Health(0);
  health.advance(10_000, false, 200);
  assert.deepEqual([health.verdict, health.deadline()], ["well", NEVER]);
  health.advance(20_000, true, 200);
  assert.deepEqual([health.verdict, health.deadline()], ["well", 22_000]);
  health.heard(21_000, 5, 5);
  health.advance(22_500, true, 200);
  assert.equal(health.verdict, "well");
  health.advance(23_000, true, 200);
  assert.equal(health.verdict, "silent");
  health.heard(23_100, 5, 5);
  assert.equal(health.verdict, "well");
});

test("a long round trip is given four RTOs", () => {
  const health = new Health(0);
  health.advance(0, true, 1000);
  assert.equal(health.deadline(), 4000);
});

test("una 0 again and again means that the session is forgotten; once, late or at the start it means nothing", () => {
  const health = new Health(0);
  for (let now = 0; now < 2000; now += 100) health.heard(now, 0, 0);
  assert.equal(health.verdict, "well");
  health.heard(2000, 0, 7);
  health.heard(2100, 0, 7);
  health.heard(2200, 7, 7);
  health.heard(2600, 0, 7);
  health.heard(3000, 0, 7);
  assert.equal(health.verdict, "well");
  health.heard(3100, 0, 7);
  assert.equal(health.verdict, "forgotten");
});
