import assert from "node:assert/strict";
import { test } from "node:test";
import { type AckRound, emptyRound } from "../base/rate-controller.ts";
import { ReturnQueue } from "./return-queue.ts";

const round = (rtt: number, inFlight: number): AckRound => ({ ...emptyRound(), rtt, inFlight });

test("a round is told as if nothing had waited on the way back", () => {
  const back = new ReturnQueue();
  const seen = round(440, 1_000_000);
  back.takeFrom(seen, 40, 2000);
  assert.deepEqual([seen.rtt, seen.inFlight], [440, 1_000_000], "nobody knows");
  back.wait = 380;
  back.takeFrom(seen, 40, 2000);
  assert.deepEqual([seen.rtt, seen.inFlight, back.bytes(2000)], [60, 240_000, 760_000]);
});

test("a clock that jumps makes no round trip shorter than the least, and nothing in flight negative", () => {
  const back = new ReturnQueue();
  back.wait = 3_600_000;
  const seen = round(60, 10_000);
  back.takeFrom(seen, 40, 2000);
  assert.deepEqual([seen.rtt, seen.inFlight, back.wait], [40, 0, 20]);
  back.wait = 500;
  const first = round(100, 0);
  back.takeFrom(first, -1, 0);
  assert.deepEqual([first.rtt, back.wait], [0, 100]);
});
