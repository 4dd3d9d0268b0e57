import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "./browser/history.ts";
import { LoadWatch } from "./browser/load-watch.ts";
import { Pace } from "./browser/pace.ts";
import { StallMeter } from "./browser/stall-meter.ts";

/** A player whose parts of `partMs` come with `jitterMs` of delay now and then; answers its buffer over the last seconds, just before a part came. */
function play(
  seconds: number,
  startMs: number,
  jitterMs: number,
  partMs = 200,
): { least: number; most: number; stalls: number; marginMs: number } {
  const pace = new Pace();
  let buffer = startMs;
  let arrived = 0;
  let played = 0;
  let rate = 1;
  let stalls = 0;
  let stalled = false;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let now = 0; now < seconds * 1000; now += STEP_MS) {
    const step = Math.min(buffer, STEP_MS * rate);
    played += step;
    buffer -= step;
    const empty = buffer === 0;
    if (empty && !stalled) stalls++;
    stalled = empty;
    if (now % LOOK_MS === 0) rate = pace.rate(now, played, buffer, stalls);
    // Parts are late together: whatever was held up comes at once.
    const due = Math.floor((now - (now % 5000 < 1000 ? jitterMs : 0)) / partMs);
    if (due <= arrived) continue;
    if (now > seconds * 500) {
      least = Math.min(least, buffer);
      most = Math.max(most, buffer);
    }
    buffer += partMs * (due - arrived);
    arrived = due;
    pace.extended(now, played + buffer);
  }
  return { least, most, stalls, marginMs: pace.marginMs };
}

const STEP_MS = 10;
/** As often as the page looks. */
const LOOK_MS = 50;

test("on a calm network the buffer shrinks to the margin and stays", () => {
  for (const partMs of [200, 100, 67]) {
    const { least, most, stalls } = play(60, 1500, 0, partMs);
    assert.equal(stalls, 0);
    assert.ok(least > 100 && most < 180, `parts of ${partMs} ms: ${least}…${most} ms`);
  }
});

test("a buffer that starts too small grows without a stall", () => {
  assert.equal(play(60, 210, 0).stalls, 0);
});

test("what came late once teaches the playhead how far from the edge it must stay, without a stall where the first margin was enough", () => {
  for (const jitterMs of [200, 300, 380]) {
    const { stalls, marginMs } = play(120, 600, jitterMs);
    assert.equal(stalls, 0, `${jitterMs} ms`);
    assert.ok(marginMs >= 1.2 * jitterMs, `${jitterMs} ms: ${marginMs}`);
  }
});

test("jitter beyond any margin yet costs a stall or two, not one every time", () => {
  const { stalls, most } = play(120, 600, 900);
  assert.ok(stalls >= 1 && stalls <= 2, `${stalls} stalls`);
  assert.ok(most > 900);
});

test("what lies between two looks at the buffer is not missed", () => {
  const pace = new Pace();
  const look = (now: number): number => pace.rate(now, now - 500, 200, 0);
  for (let now = 0; now < 40_000; now += 50) look(now);
  assert.equal(pace.marginMs, 130);
  pace.extended(40_040, 40_000 - 300);
  pace.extended(40_099, 40_000);
  for (let now = 40_100; now < 41_000; now += 50) look(now);
  assert.equal(pace.marginMs, 130 + 1.25 * 99);
});

test("a timeline that begins anew is not taken for lateness", () => {
  const pace = new Pace();
  for (let now = 0; now < 40_000; now += 50) pace.rate(now, now - 500, 200, 0);
  pace.restart();
  for (let now = 45_000; now < 50_000; now += 50) pace.rate(now, now - 5500, 200, 0);
  assert.equal(pace.marginMs, 130);
});

test("coming nearer to the edge is not taken for lateness", () => {
  assert.equal(Math.round(play(60, 3000, 0).marginMs), 130);
});

test("hls.js is prompted when nothing is asked for though there is something, and not while a part is on its way", () => {
  const watch = new LoadWatch();
  const run = (from: number, to: number, edge: number, end: number): number => {
    const before = watch.prompts;
    for (let now = from; now <= to; now += 100) watch.observe(now, edge, end);
    return watch.prompts - before;
  };
  assert.equal(run(0, 2000, 10, 10), 0, "nothing to load");
  assert.equal(run(2100, 4000, 10.2, 10), 0, "a part that was just announced");
  assert.equal(run(4100, 4500, 10.6, 10), 1);
  watch.loading = true;
  assert.equal(run(5000, 7000, 11, 10), 0, "on its way");
  watch.loading = false;
  assert.equal(run(7100, 7300, 11, 10.8), 0);
  for (let now = 7400; now < 9000; now += 100) assert.equal(watch.observe(now, now / 1000 + 0.5, now / 1000), false, "the buffer grows");
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
  assert.deepEqual([meter.begun, meter.stalls, meter.moving, meter.hitches], [true, 0, true, 1]);
  watch(5100, 6000, () => 5);
  assert.deepEqual([meter.stalls, meter.stalledMs, meter.moving, meter.hitches], [1, 1000, false, 2]);
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
