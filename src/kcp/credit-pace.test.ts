import assert from "node:assert/strict";
import { test } from "node:test";
import { CreditPace } from "./credit-pace.ts";

/** Segments a millisecond that the path delivers, and that the peer's timer lets go. */
const [LINE, TIMER] = [10, 1];
const RTT = 100;

/** From `from` to `to`, with segments that wait for `delay`; answers the last pace. */
function go(pace: CreditPace, line: number, from: number, to: number, delay: number): number {
  let last = 0;
  for (let now = from; now < to; now += 10) last = pace.of(line, TIMER, now, false, false, RTT, delay);
  return last;
}

test("a share of what the path delivers: all of it while little waits, less where a queue grows", () => {
  const pace = new CreditPace();
  const first = pace.of(LINE, TIMER, 0, true, false, RTT, 0);
  assert.ok(first > 0.8 * LINE && first < LINE);
  const share = go(pace, LINE, 0, 2000, 3) / LINE;
  assert.ok(share > first / LINE && share < 1);
  assert.ok(go(pace, LINE, 2000, 2600, 50) < 0.7 * first);
  const before = pace.of(LINE, TIMER, 4000, true, false, RTT, 0);
  pace.overflowed(4000, RTT);
  assert.ok(pace.of(LINE, TIMER, 4000, false, false, RTT, 0) < before);
});

test("where nothing waits though all of it is let go, the path delivers more than was seen; what is known anew is a beginning", () => {
  const pace = new CreditPace();
  assert.ok(go(pace, 0, 0, 3000, 0) > 2 * TIMER);
  assert.ok(go(pace, LINE, 3000, 3010, 3) < LINE);
  assert.ok(go(pace, LINE, 3010, 6000, 0) > 1.5 * LINE);
});

test("whole segments are let go, and what is left over is not lost", () => {
  const pace = new CreditPace();
  let whole = 0;
  for (let i = 0; i < 100; i++) whole += pace.whole(0.3, 1);
  assert.ok(whole === 30 || whole === 29);
  assert.ok(pace.whole(1, 5000) <= 21);
});
