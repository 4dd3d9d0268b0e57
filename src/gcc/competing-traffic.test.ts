import assert from "node:assert/strict";
import { test } from "node:test";
import { CompetingTraffic } from "./competing-traffic.ts";

const K = 1000;
const MS = 1000;
const SECOND = 1_000_000;
const FULL = 200 * MS;

const RTT = 100 * MS;

/** Overuse with these rates in kbit/s, `apart` µs apart, the queue as deep as `delay` before each. */
function overuses(competing: CompetingTraffic, rates: readonly number[], apart = 2 * SECOND, delay = FULL): void {
  for (const [i, kbps] of rates.entries()) {
    competing.onQueue(i * apart, delay, 0);
    competing.onOveruse(i * apart, kbps * K, RTT);
  }
}

/** Runs the test that was begun at `now` with a queue of `delay(elapsed)`; answers whether the verdict is that others compete. */
function tested(competing: CompetingTraffic, now: number, delay: (elapsed: number) => number): boolean {
  assert.ok(competing.testing);
  for (let elapsed = 0; elapsed <= 2.1 * SECOND; elapsed += 50 * MS) {
    const waits = delay(elapsed);
    competing.onQueue(now + elapsed, waits, waits < 5 * MS ? 50 * MS : 0);
  }
  assert.equal(competing.testing, false);
  return competing.active;
}

const YIELDING = [600, 500, 420, 350];
const YIELDED_AT = 6 * SECOND;

test("overuse with less and less, over 3 s and down to 0.6, is a reason to test, at half of what is left", () => {
  const early = new CompetingTraffic();
  overuses(early, YIELDING.slice(0, 3));
  assert.equal(early.testing, false);
  const competing = new CompetingTraffic();
  overuses(competing, YIELDING);
  assert.ok(competing.testing);
  assert.equal(competing.testRate, 175 * K);
  assert.equal(competing.tests, 1);
});

test("giving way a little is no starvation", () => {
  const competing = new CompetingTraffic();
  overuses(competing, [600, 560, 525, 490, 460]);
  assert.equal(competing.tests, 0);
});

test("a drop of capacity is over before that, and an overuse that lasts is one", () => {
  const competing = new CompetingTraffic();
  overuses(
    competing,
    Array.from({ length: 20 }, (_, i) => 2000 - 90 * i),
    200 * MS,
  );
  assert.equal(competing.tests, 0);
});

test("our own saw tooth is provoked, and flows that share fairly empty the queue between", () => {
  const competing = new CompetingTraffic();
  overuses(
    competing,
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1000 : 970)),
    4 * SECOND,
    40 * MS,
  );
  assert.equal(competing.tests, 0);
  for (const [i, kbps] of YIELDING.entries()) {
    competing.onQueue(i * 4 * SECOND, FULL, 0);
    competing.onQueue(i * 4 * SECOND, 0, 2 * SECOND);
    competing.onOveruse(i * 4 * SECOND, kbps * K, RTT);
  }
  assert.equal(competing.tests, 0);
});

test("a flow that was starved already is found by the deep queue that never stays empty", () => {
  for (const [delay, tests] of [
    [FULL, 1],
    [90 * MS, 0],
  ] as const) {
    const competing = new CompetingTraffic();
    for (let i = 0; i < 6; i++) {
      competing.onOveruse(i * 4 * SECOND, 150 * K, RTT);
      competing.onQueue(i * 4 * SECOND, delay, 0);
      competing.onQueue(i * 4 * SECOND, 0, SECOND);
    }
    assert.equal(competing.tests, tests);
  }
});

test("the queue that stays deep, or is at its least for a moment only, is another's; one that empties and stays empty is ours", () => {
  const verdicts = [
    (): number => FULL,
    // A loss-based flow's: down by half, and up again.
    (elapsed: number): number => Math.abs(elapsed - SECOND) / 10 + 100 * MS,
    (elapsed: number): number => Math.abs(elapsed - 1.5 * SECOND) / 10,
    // Shorter than it ever was, by our share alone: slower than one that is all ours.
    (elapsed: number): number => Math.max(0, FULL - elapsed / 6),
    // As fast, but something is left.
    (elapsed: number): number => Math.max(20 * MS, FULL - elapsed / 2),
    (elapsed: number): number => Math.max(0, FULL - elapsed / 2),
    // Too long to be empty in 2 s, but it shrinks as it must.
    (elapsed: number): number => 1400 * MS - elapsed / 2,
  ].map((delay) => {
    const competing = new CompetingTraffic();
    overuses(competing, YIELDING);
    return tested(competing, YIELDED_AT, delay);
  });
  assert.deepEqual(verdicts, [true, true, true, true, true, false, false]);
});

test("a queue that was ours is not tested again for 20 s, then 40", () => {
  const competing = new CompetingTraffic();
  const own = (elapsed: number): number => Math.max(0, FULL - elapsed / 2);
  overuses(competing, YIELDING);
  tested(competing, YIELDED_AT, own);
  let now = YIELDED_AT + 2.1 * SECOND;
  const again = (): number => {
    const began = now;
    for (let kbps = 1e6; !competing.testing && now - began < 100 * SECOND; now += 2 * SECOND, kbps *= 0.9) {
      competing.onQueue(now, FULL, 0);
      competing.onOveruse(now, kbps, RTT);
    }
    now -= 2 * SECOND;
    tested(competing, now, own);
    now += 2.1 * SECOND;
    return (now - began) / SECOND;
  };
  const [first, second] = [again(), again()];
  assert.ok(first > 20 && first < 30, `${first}`);
  assert.ok(second > 40 && second < 50, `${second}`);
});

test("alone again when the queue is empty for 2 s, and where the queue has no end", () => {
  for (const [delay, emptyFor] of [
    [0, 2 * SECOND],
    [1600 * MS, 0],
  ] as const) {
    const competing = new CompetingTraffic();
    overuses(competing, YIELDING);
    assert.ok(tested(competing, YIELDED_AT, () => FULL));
    assert.equal(competing.entered, 1);
    competing.onQueue(10 * SECOND, delay, emptyFor);
    assert.equal(competing.active, false);
  }
});

test("active: a packet per round trip in each round trip at first, and 0.7 once per round trip with loss", () => {
  const competing = new CompetingTraffic();
  const rtt = 200 * MS;
  let rate = 500 * K;
  for (let now = 0; now < SECOND; now += 100 * MS) rate = competing.next(now, rate, rtt, false);
  // 9 intervals of 100 ms at 9600 bits / (200 ms)² a second.
  assert.ok(Math.abs(rate - (500 * K + 0.9 * 240 * K)) < 1, `${rate}`);
  assert.ok(Math.abs(competing.next(SECOND, rate, rtt, true) - 0.7 * rate) < 1);
  assert.equal(competing.next(1.1 * SECOND, rate, rtt, true), rate);
  assert.ok(competing.next(1.3 * SECOND, rate, rtt, true) < rate);
});

test("active, after a loss: back after CUBIC's K, slowly there, then faster; never slower than Reno", () => {
  const rtt = 400 * MS;
  const grown = (start: number): number[] => {
    const competing = new CompetingTraffic();
    let rate = competing.next(0, start, rtt, true);
    const rates: number[] = [];
    for (let now = 100 * MS; now <= 10 * SECOND; now += 100 * MS) {
      rate = competing.next(now, rate, rtt, false);
      if (now % SECOND === 0) rates.push(rate / start);
    }
    return rates;
  };
  // 4 Mbit/s × 400 ms = 167 packets: K = ∛(0.3 × 167 / 0.4) = 5 s.
  const large = grown(4000 * K);
  assert.ok(large[0]! > 0.8 && Math.abs(large[4]! - 1) < 0.05, `${large}`);
  assert.ok(large[4]! - large[3]! < 0.25 * (large[0]! - 0.7) + 0.01 && large[8]! - large[7]! > 0.02, `${large}`);
  // 200 kbit/s: Reno's 0.53 packets per RTT in each are more: 200 → 140, and 32 kbit/s a second from there.
  const small = grown(200 * K);
  assert.ok(small[1]! >= 0.7 + 2 * 0.15, `${small}`);
});
