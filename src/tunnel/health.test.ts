import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { Health } from "./health.ts";

test("silence counts only while something waits, from when it began, and ends with a packet", () => {
  const health = new Health(0);
  health.advance(10_000, false, 200);
  assert.deepEqual([health.verdict, health.deadline()], ["well", NEVER]);
  health.advance(20_000, true, 200);
  assert.deepEqual([health.verdict, health.deadline()], ["well", 21_500]);
  health.heard(21_000, 5, 5);
  health.advance(22_400, true, 200);
  assert.equal(health.verdict, "well");
  health.advance(22_500, true, 200);
  assert.equal(health.verdict, "silent");
  health.heard(22_600, 5, 5);
  assert.equal(health.verdict, "well");
});

test("a long round trip is given four RTOs", () => {
  const health = new Health(0);
  health.advance(0, true, 1000);
  assert.equal(health.deadline(), 4000);
});

test("una 0 that nothing contradicts for 500 ms means that the session is forgotten, also when silence follows; once, late or at the start it means nothing", () => {
  const health = new Health(0);
  const at = (now: number, ...unas: readonly number[]): string => {
    for (const una of unas) health.heard(now, una, now < 2000 ? 0 : 7);
    health.advance(now, true, 100);
    return health.verdict;
  };
  for (let now = 0; now < 2000; now += 100) at(now, 0);
  assert.deepEqual([at(2000, 0), health.doubted], ["well", true]);
  assert.equal(at(2700), "well", "one alone is no proof");
  assert.deepEqual([at(2800, 0, 7), health.doubted], ["well", false]);
  assert.equal(at(3000, 0), "well");
  assert.equal(at(3001, 0), "well");
  assert.equal(at(3499), "well");
  assert.equal(health.deadline(), 3500);
  assert.equal(at(3500), "forgotten");
});

test("a lower una confirms a denial and denies nothing by itself; one denial before silence is the truth", () => {
  const health = new Health(0);
  health.heard(0, 3, 7);
  health.heard(10, 4, 7);
  assert.equal(health.doubted, false);
  health.heard(20, 0, 7);
  health.heard(30, 1, 7);
  health.advance(520, true, 100);
  assert.equal(health.verdict, "forgotten");
  const blocked = new Health(0);
  blocked.advance(0, true, 100);
  blocked.heard(20, 0, 7);
  blocked.advance(1510, true, 100);
  assert.equal(blocked.verdict, "well");
  blocked.advance(1520, true, 100);
  assert.equal(blocked.verdict, "forgotten");
});

test("a denial is believed after two RTOs where those are longer", () => {
  const health = new Health(0);
  health.heard(0, 0, 7);
  health.heard(1, 0, 7);
  health.advance(500, false, 400);
  assert.equal(health.verdict, "well");
  health.advance(800, false, 400);
  assert.equal(health.verdict, "forgotten");
});
