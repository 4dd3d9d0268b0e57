import assert from "node:assert/strict";
import { test } from "node:test";
import { CompetingTraffic } from "./competing-traffic.ts";

const K = 1000;
const MS = 1000;
const SECOND = 1_000_000;
const FULL = 200 * MS;

test("overuse with less and less, over 3 s and down to 0.6, is another's doing", () => {
  const competing = new CompetingTraffic();
  const verdicts = [600, 500, 420, 350, 300].map((kbps, i) => {
    competing.onQueue(FULL, 0);
    competing.onOveruse(i * 2 * SECOND, kbps * K);
    return competing.active;
  });
  assert.deepEqual(verdicts, [false, false, false, true, true]);
  assert.equal(competing.entered, 1);
});

test("giving way a little is no starvation", () => {
  const competing = new CompetingTraffic();
  for (const [i, kbps] of [600, 560, 525, 490, 460].entries()) {
    competing.onQueue(FULL, 0);
    competing.onOveruse(i * 2 * SECOND, kbps * K);
  }
  assert.equal(competing.active, false);
});

test("a drop of capacity is over before that, and an overuse that lasts is one", () => {
  const competing = new CompetingTraffic();
  for (let i = 0; i < 20; i++) {
    competing.onQueue(FULL, 0);
    competing.onOveruse(i * 200 * MS, (2000 - 90 * i) * K);
  }
  assert.equal(competing.active, false);
});

test("our own saw tooth is provoked, and flows that share fairly empty the queue between", () => {
  const competing = new CompetingTraffic();
  for (let i = 0; i < 20; i++) {
    competing.onQueue(40 * MS, 0);
    competing.onQueue(0, SECOND);
    competing.onOveruse(i * 4 * SECOND, 1000 * K * (i % 2 === 0 ? 1 : 0.97));
  }
  assert.equal(competing.active, false);
  for (const [i, kbps] of [600, 500, 420, 350, 300].entries()) {
    competing.onQueue(FULL, 0);
    competing.onQueue(0, 2 * SECOND);
    competing.onOveruse((100 + 4 * i) * SECOND, kbps * K);
  }
  assert.equal(competing.active, false);
});

test("a flow that was starved already is found by the deep queue that never stays empty", () => {
  const competing = new CompetingTraffic();
  const shallow = new CompetingTraffic();
  for (let i = 0; i < 6; i++) {
    for (const [each, delay] of [
      [competing, FULL],
      [shallow, 90 * MS],
    ] as const) {
      each.onOveruse(i * 4 * SECOND, 150 * K);
      each.onQueue(delay, 0);
      each.onQueue(0, SECOND);
    }
  }
  assert.ok(competing.active);
  assert.equal(shallow.active, false);
});

test("alone again when the queue is empty for 2 s, and where the queue has no end", () => {
  for (const [delay, emptyFor] of [
    [0, 2 * SECOND],
    [1600 * MS, 0],
  ] as const) {
    const competing = new CompetingTraffic();
    for (let i = 0; i < 5; i++) {
      competing.onQueue(FULL, 0);
      competing.onOveruse(i * 2 * SECOND, (600 - 90 * i) * K);
    }
    assert.ok(competing.active);
    competing.onQueue(delay, emptyFor);
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
