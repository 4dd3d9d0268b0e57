import assert from "node:assert/strict";
import { test } from "node:test";
import { CreditPace } from "./credit-pace.ts";

test("a share of what the path delivers: more while no queue grows, less where one does, never all of it", () => {
  const pace = new CreditPace();
  const first = pace.share(0, true, false, 100, 0);
  let share = first;
  for (let now = 0; now < 2000; now += 10) share = pace.share(now, false, false, 100, 0);
  assert.ok(share > first && share < 1);
  for (let now = 2000; now < 2600; now += 10) share = pace.share(now, false, false, 100, 50);
  assert.ok(share < first * 0.7);
  const before = pace.share(4000, true, false, 100, 0);
  pace.overflowed(4000, 100);
  assert.ok(pace.share(4000, false, false, 100, 0) < before);
});

test("whole segments are let go, and what is left over is not lost", () => {
  const pace = new CreditPace();
  let whole = 0;
  for (let i = 0; i < 100; i++) whole += pace.whole(0.3, 1);
  assert.ok(whole === 30 || whole === 29);
  assert.ok(pace.whole(1, 5000) <= 21);
});
