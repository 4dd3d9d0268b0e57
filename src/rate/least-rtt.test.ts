import assert from "node:assert/strict";
import { test } from "node:test";
import { LeastRtt } from "./least-rtt.ts";

test("the least of late, and three times what round trips differ by", () => {
  const least = new LeastRtt();
  assert.equal(least.value, -1);
  least.take(0, -1, 0);
  assert.equal(least.value, -1);
  least.take(0, 100, 0);
  least.take(10, 140, 0);
  assert.equal(least.value, 100);
  least.take(20, -1, 12);
  assert.equal(least.value, 136);
  for (let now = 20; now < 40_000; now += 1000) least.take(now, 150, 0);
  assert.equal(least.value, 150, "the path has changed");
});

test("asked for when it was not seen for ten seconds, and as long later again", () => {
  const least = new LeastRtt();
  least.take(0, 100, 0);
  assert.deepEqual([least.asks(10_000), least.asks(10_001), least.asks(10_002), least.asks(20_002)], [false, true, false, true]);
});

test("what is learned by other means counts when it is less, and nothing of another path does", () => {
  const least = new LeastRtt();
  least.learned(0, 80);
  least.learned(0, 0);
  least.learned(0, 90);
  assert.equal(least.value, 80);
  least.take(10, 95, 30);
  least.forget();
  assert.equal(least.value, -1);
});
