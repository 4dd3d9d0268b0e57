import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import type { KcpStats } from "../kcp/stats.ts";
import { Probation } from "./probation.ts";

const stats = (bytesReceived: number, sndUna: number): KcpStats => ({ bytesReceived, sndUna }) as KcpStats;

/** Ages at which it says NOP, looked at every 50 ms. */
function pings(probation: Probation, until: number, received: number, of: KcpStats, doubted = false, from = 0): number[] {
  const ages: number[] = [];
  for (let now = from; now <= until; now += 50) if (probation.advance(now, received, of, doubted)) ages.push(now);
  return ages;
}

test("a young session says NOP every 250 ms, later every 2 s, until the server has said something", () => {
  const probation = new Probation();
  assert.deepEqual(pings(probation, 1000, 1, stats(0, 1)), [250, 500, 750, 1000]);
  assert.deepEqual(pings(probation, 6000, 1, stats(0, 1), false, 1050), [1250, 1500, 1750, 2000, 4000, 6000]);
  assert.deepEqual(pings(probation, 9000, 1, stats(8, 2), false, 6050), []);
  assert.deepEqual([probation.passed, probation.deadline()], [true, NEVER]);
});

test("it asks again at once while the session is doubted, and stops with the doubt", () => {
  const probation = new Probation();
  pings(probation, 3000, 1, stats(8, 1));
  assert.deepEqual(pings(probation, 10_600, 1, stats(8, 1), true, 10_000), [10_000, 10_250, 10_500]);
  assert.deepEqual(pings(probation, 20_000, 1, stats(8, 1), false, 10_650), []);
});

test("the opinion is there at an age of 1.8 s, once", () => {
  const opinions = [
    [0, stats(0, 0), false],
    [4, stats(0, 0), false],
    [4, stats(0, 1), false],
    [4, stats(0, 1), true],
    [4, stats(1, 0), false],
  ] as const;
  const formed = opinions.map(([received, of, doubted]) => {
    const probation = new Probation();
    probation.advance(100, received, of, doubted);
    assert.ok(probation.deadline() <= 1900);
    probation.advance(1899, received, of, doubted);
    assert.equal(probation.opinion, undefined);
    probation.advance(1900, received, of, doubted);
    return probation.opinion;
  });
  assert.deepEqual(formed, ["unanswered", "stuck", undefined, "stuck", undefined]);
});
