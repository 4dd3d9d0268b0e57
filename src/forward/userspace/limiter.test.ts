import assert from "node:assert/strict";
import { test } from "node:test";
import { Limiter } from "./limiter.ts";

const none = { packets: 0, bytes: 0, sourcePackets: 0, sourceBytes: 0 };
const passed = (limiter: Limiter, source: string, count: number, now: number, bytes = 100): number =>
  Array.from({ length: count }, () => limiter.pass(source, bytes, now)).filter(Boolean).length;

test("a burst of a second's worth, then the rate", () => {
  const limiter = Limiter.of({ ...none, packets: 50 }, 0)!;
  assert.equal(passed(limiter, "a", 200, 0), 50);
  assert.equal(passed(limiter, "b", 200, 500), 25, "of all sources together");
  assert.equal(passed(limiter, "a", 200, 60_000), 50, "never more than a burst");
  const bytes = Limiter.of({ ...none, bytes: 100_000 }, 0)!;
  assert.equal(passed(bytes, "a", 2000, 0, 1000), 100);
  assert.equal(passed(bytes, "a", 2000, 250, 1000), 25);
});

test("each source has its own, and is forgotten when it was quiet", () => {
  const limiter = Limiter.of({ ...none, sourcePackets: 10 }, 0)!;
  assert.deepEqual([passed(limiter, "a", 20, 0), passed(limiter, "b", 20, 0), limiter.sources], [10, 10, 2]);
  limiter.sweep(500);
  assert.equal(limiter.sources, 2);
  limiter.sweep(1000);
  assert.equal(limiter.sources, 0);
});

test("more sources than are remembered are beyond the limit; those that are known pass", () => {
  const limiter = Limiter.of({ ...none, sourcePackets: 2 }, 0)!;
  for (let i = 0; i < 65_536; i++) assert.ok(limiter.pass(`s${i}`, 100, 0));
  assert.equal(limiter.pass("one more", 100, 0), false);
  assert.equal(limiter.pass("s7", 100, 0), true);
});

test("no limits: no limiter", () => {
  assert.equal(Limiter.of(none, 0), undefined);
});
