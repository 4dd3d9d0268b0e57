import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyRound } from "../base/rate-controller.ts";
import { Blackout } from "./blackout.ts";
import { Tally } from "./tally.ts";

const RTT = 60;

function round(lost: number, lostRuns: number, silence = 0): Tally {
  const tally = new Tally();
  tally.add({ ...emptyRound(), lost, lostRuns, silence });
  return tally;
}

test("what is missing in one piece, or behind a silence, is a moment without a path; what is missing here and there, or again at once, is not", () => {
  const blackout = new Blackout();
  assert.equal(blackout.explains(0, round(300_000, 40), RTT), false);
  assert.equal(blackout.explains(0, round(300_000, 40, RTT + 20), RTT), false);
  assert.equal(blackout.explains(0, round(14_000, 1, 100), RTT), false);
  assert.equal(blackout.explains(0, round(300_000, 1, 20), RTT), false);
  assert.equal(blackout.explains(0, round(300_000, 1, 100), RTT), true);
  assert.equal(blackout.explains(200, round(300_000, 1, 100), RTT), false);
  assert.equal(blackout.explains(5000, round(30_000, 2, 100), RTT), false);
  assert.equal(blackout.explains(5000, round(60_000, 2, 100), RTT), true);
  assert.equal(blackout.explains(9000, round(300_000, 40, 600), RTT), true);
});
