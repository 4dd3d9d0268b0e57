import assert from "node:assert/strict";
import { test } from "node:test";
import { RttBackoff } from "./rtt-backoff.ts";
import { TargetRate } from "./target-rate.ts";

const SECOND = 1_000_000;

/** Sends every 25 ms without feedback for `seconds` and answers the target at the end of each. */
function silence(target: TargetRate, seconds: number, sending = true): number[] {
  const rates: number[] = [];
  for (let now = 25_000; now <= seconds * SECOND; now += 25_000) {
    if (sending) target.backoff.onPacketSent(now);
    target.update(now);
    if (now % SECOND === 0) rates.push(Math.round(target.target / 1000));
  }
  return rates;
}

test("feedback stops while we send: × 0.8 each second from the fourth on (gcc.md K 3: 1726 → 1381 → 1105 → 884)", () => {
  const target = new TargetRate();
  target.configure(1_726_000, 0, 10_000_000);
  target.backoff.onPacketSent(0);
  target.backoff.onPropagationRtt(0, 0);
  assert.deepEqual(silence(target, 7), [1726, 1726, 1726, 1381, 1105, 884, 707]);
});

test("the floor is 5 kbit/s", () => {
  const target = new TargetRate();
  target.configure(20_000, 0, 10_000_000);
  target.backoff.onPropagationRtt(0, 0);
  assert.equal(silence(target, 60).at(-1), 5);
});

test("nothing sent, nothing lost: the rate stands", () => {
  const target = new TargetRate();
  target.configure(300_000, 0, 10_000_000);
  target.backoff.onPacketSent(0);
  target.backoff.onPropagationRtt(0, 100_000);
  assert.equal(silence(target, 20, false).at(-1), 300);
  assert.equal(target.backoff.correctedRtt, 100_000);
});

test("P15: limit 2 s, floor 50 kbit/s: a bloated buffer brings the rate to its floor, 50 ± 5 kbit/s", () => {
  const target = new TargetRate({ limit: 2 * SECOND, floor: 50_000 });
  target.configure(100_000, 5000, 1_000_000);
  let now = 0;
  for (; now < 6 * SECOND; now += 100_000) {
    target.backoff.onPacketSent(now);
    target.backoff.onPropagationRtt(now, 3 * SECOND);
    target.update(now);
  }
  assert.ok(Math.abs(target.target - 50_000) <= 5000, `${target.target}`);
});

test("without any feedback the clock runs from the first packet", () => {
  const backoff = new RttBackoff();
  assert.equal(backoff.aboveLimit, false);
  backoff.onPacketSent(SECOND);
  backoff.onPacketSent(4 * SECOND);
  assert.equal(backoff.aboveLimit, false);
  backoff.onPacketSent(4 * SECOND + 1);
  assert.equal(backoff.aboveLimit, true);
});
