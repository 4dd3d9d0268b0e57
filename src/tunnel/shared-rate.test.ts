import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { type RateShare, SharedRate } from "./shared-rate.ts";

/** Each asks for as much as it gets, in the same order every time, from `from` to `to`; answers what each got. */
function spend(shares: readonly RateShare[], pieces: readonly number[], from: number, to: number): number[] {
  const got = shares.map(() => 0);
  for (let now = from; now < to; now = Math.min(...shares.map((share) => share.deadline()))) {
    shares.forEach((share, i) => {
      while (share.admits(now)) {
        share.spend(pieces[i]!);
        got[i]! += pieces[i]!;
      }
    });
  }
  return got;
}

test("alone: the rate, after a burst", () => {
  const rate = new SharedRate(0, 1_000_000);
  const [got] = spend([rate.share()], [1350], 0, 10_000);
  assert.ok(got! > 9_900_000 && got! < 10_000_000 + 96_000 + 10_000, `${got}`);
});

test("several share alike, whoever asks first, at high and low rates and with pieces of any size", () => {
  for (const [bytesPerSecond, pieces] of [
    [10_000_000, [1350, 1350, 1350]],
    [20_000, [1350, 1350, 1350]],
    [200_000, [65_536, 1350, 1350]],
  ] as const) {
    const rate = new SharedRate(0, bytesPerSecond);
    const shares = pieces.map(() => rate.share());
    spend(shares, pieces, 0, 5000);
    const got = spend(shares, pieces, 5000, 65_000);
    const sum = got.reduce((a, b) => a + b);
    assert.ok(sum > bytesPerSecond * 60 * 0.97 && sum < bytesPerSecond * 60 * 1.06, `${sum} of ${bytesPerSecond} a second`);
    assert.ok(Math.min(...got) > (sum / 3) * 0.9, `${bytesPerSecond}: ${got}`);
  }
});

test("one that stops leaves its share to the others, and has no claim on what it did not use", () => {
  const rate = new SharedRate(0, 1_000_000);
  const [a, b] = [rate.share(), rate.share()];
  spend([a, b], [1350, 1350], 0, 1000);
  const [alone] = spend([a], [1350], 1000, 11_000);
  assert.ok(alone! > 9_800_000, `${alone}`);
  const [mine, late] = spend([a, b], [1350, 1350], 11_000, 12_000);
  assert.ok(mine! > 400_000 && late! < 600_000, `${mine} and ${late}`);
});

test("without a limit nothing waits; a limit set later holds at once", () => {
  const rate = new SharedRate(0, Number.POSITIVE_INFINITY);
  const share = rate.share();
  for (let i = 0; i < 1000; i++) {
    assert.ok(share.admits(0));
    share.spend(65_536);
  }
  assert.equal(share.deadline(), NEVER);
  rate.bytesPerSecond = 100_000;
  const [got] = spend([share], [1350], 1000, 11_000);
  assert.ok(got! < 1_000_000 + 100_000, `${got}`);
  assert.ok(rate.waits > 0);
});
