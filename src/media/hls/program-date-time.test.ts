import assert from "node:assert/strict";
import { test } from "node:test";
import { isoDate } from "./iso-date.ts";
import { ProgramDateTime } from "./program-date-time.ts";

test("the fastest unit sets the clock; slower ones are late by what they took longer", () => {
  const clock = new ProgramDateTime();
  clock.observe(0, 1_000_080);
  clock.observe(33_000, 1_000_083);
  assert.equal(Math.round(clock.date(0)), 1_000_050);
  clock.observe(66_000, 1_000_366);
  assert.equal(Math.round(clock.lateMs), 250);
  assert.equal(Math.round(clock.date(66_000)), 1_000_116);
});

test("an encoder's clock that runs slow by 100 ppm does not make the stream look late after an hour", () => {
  const clock = new ProgramDateTime();
  for (let second = 0; second <= 3600; second++) clock.observe(second * 1_000_000, second * 1000 * 1.0001);
  assert.ok(Math.abs(clock.lateMs) < 1, `${clock.lateMs} ms`);
});

test("dates are those of the civil calendar", () => {
  for (const ms of [0, 1_795_262_400_123, 951_782_399_999, 951_868_800_000, 4_107_542_399_000, 253_402_300_799_999, 68_169_600_000.4]) {
    assert.equal(isoDate(ms), new Date(Math.round(ms)).toISOString());
  }
  for (let day = 0; day < 40_000; day += 17) assert.equal(isoDate(day * 86_400_000), new Date(day * 86_400_000).toISOString());
});
