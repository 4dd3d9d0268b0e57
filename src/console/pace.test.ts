import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "./browser/history.ts";
import { Pace } from "./browser/pace.ts";
import { StallMeter } from "./browser/stall-meter.ts";

/** A player whose parts of 200 ms come with `jitterMs` of delay now and then; answers its buffer over the last seconds. */
function play(seconds: number, startMs: number, jitterMs: number): { least: number; most: number; stalls: number; marginMs: number } {
  const pace = new Pace();
  let buffer = startMs;
  let arrived = 0;
  let stalls = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let now = 0; now < seconds * 1000; now += 100) {
    // Parts are late together: whatever was held up comes at once.
    const due = Math.floor((now - (now % 5000 < 1000 ? jitterMs : 0)) / 200);
    if (due > arrived) {
      buffer += 200 * (due - arrived);
      arrived = due;
    }
    const rate = pace.rate(now, buffer, stalls);
    if (buffer < 100 * rate) stalls++;
    buffer = Math.max(0, buffer - 100 * rate);
    if (now > seconds * 500) {
      least = Math.min(least, buffer);
      most = Math.max(most, buffer);
    }
  }
  return { least, most, stalls, marginMs: pace.marginMs };
}

test("on a calm network the buffer shrinks to the margin and stays", () => {
  const { least, most, stalls } = play(60, 1500, 0);
  assert.equal(stalls, 0);
  assert.ok(least > 50 && most < 520, `${least}…${most} ms`);
});

test("a buffer that starts too small grows without a stall", () => {
  assert.equal(play(60, 210, 0).stalls, 0);
});

test("jitter keeps the playhead further from the edge: a stall or two teach it how far", () => {
  const { stalls, most } = play(120, 600, 600);
  assert.ok(stalls <= 3, `${stalls} stalls`);
  assert.ok(most > 600);
});

test("the playhead's standing still is a stall, a moment of it is not", () => {
  const meter = new StallMeter();
  const watch = (from: number, to: number, time: (now: number) => number, expected = true): void => {
    for (let now = from; now <= to; now += 100) meter.observe(now, time(now), expected);
  };
  watch(0, 1000, () => 0);
  assert.deepEqual([meter.begun, meter.stalls], [false, 0]);
  watch(1100, 3000, (now) => now / 1000);
  watch(3100, 3300, () => 3);
  watch(3400, 5000, (now) => now / 1000);
  assert.deepEqual([meter.begun, meter.stalls, meter.moving], [true, 0, true]);
  watch(5100, 6000, () => 5);
  assert.deepEqual([meter.stalls, meter.stalledMs, meter.moving], [1, 1000, false]);
  watch(6100, 7000, (now) => now / 1000);
  watch(7100, 9000, () => 7, false);
  assert.deepEqual([meter.stalls, meter.moving], [1, true]);
  watch(9100, 10_000, (now) => now / 1000);
  watch(10_100, 11_000, () => 10);
  assert.equal(meter.stalls, 2);
  meter.suspend();
  watch(11_100, 15_000, () => 10);
  assert.deepEqual([meter.stalls, meter.stalledMs], [1, 1000], "the end of a stream is no stall, nor is the wait for the next one");
  watch(15_100, 16_000, (now) => now / 1000);
  watch(16_100, 17_000, () => 16);
  assert.equal(meter.stalls, 2);
});

test("the median of the last minute leaves out what was not measured", () => {
  const history = new History(5);
  assert.equal(history.median, undefined);
  for (const value of [900, undefined, 10, 30, 20, 500]) history.push(value);
  assert.deepEqual([...history], [Number.NaN, 10, 30, 20, 500]);
  assert.deepEqual([history.median, history.highest], [30, 500]);
});
