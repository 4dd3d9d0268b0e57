import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { allocate, type Share } from "./allocation.ts";
import { BitrateAllocator, type BitrateObserver, type BitrateUpdate, type StreamLimits } from "./bitrate-allocator.ts";

const K = 1000;

class Encoder implements BitrateObserver {
  targets: number[] = [];
  lossRatio = Number.NaN;
  /** Share of the target that goes to FEC. */
  protection = 0;

  onBitrate(update: BitrateUpdate): number {
    this.targets.push(update.target);
    this.lossRatio = update.lossRatio;
    return update.target * this.protection;
  }
}

function streams(...limits: StreamLimits[]): [BitrateAllocator, Encoder[], (target: number) => number[]] {
  const allocator = new BitrateAllocator();
  const encoders = limits.map((limit) => {
    const encoder = new Encoder();
    allocator.set(encoder, limit);
    return encoder;
  });
  const share = (target: number): number[] => {
    allocator.onEstimate(target * K, 0, 0);
    return encoders.map((encoder) => Math.round(allocator.allocation(encoder)! / K));
  };
  return [allocator, encoders, share];
}

test("a priority rate is filled before weights count (gcc.md L, P30)", () => {
  const [, , share] = streams({ min: 100 * K, max: 1500 * K }, { min: 100 * K, max: 300 * K, priorityBitrate: 300 * K });
  assert.deepEqual(share(100), [100, 100], "enforced minima go beyond the rate");
  assert.deepEqual(share(200), [100, 100]);
  assert.deepEqual(share(300), [100, 200]);
  assert.deepEqual(share(400), [100, 300]);
  assert.deepEqual(share(800), [500, 300]);
});

test("two streams share up to twice their maxima (gcc.md L, P31)", () => {
  const [, , share] = streams({ min: 100 * K, max: 300 * K }, { min: 200 * K, max: 300 * K });
  assert.deepEqual(share(200), [100, 200]);
  assert.deepEqual(share(500), [200, 300]);
  assert.deepEqual(share(1500), [600, 600]);
  assert.deepEqual(share(0), [0, 0]);
});

test("weights share what is above the minima, and who is full leaves the rest to others", () => {
  const [, , share] = streams({ min: 0, max: 1000 * K, weight: 1 }, { min: 0, max: 1000 * K, weight: 3 }, { min: 0, max: 50 * K });
  // 450: the third takes its 50, the others 1 : 3.
  assert.deepEqual(share(450), [100, 300, 50]);
  assert.deepEqual(share(2000), [950, 1000, 50]);
});

test("a stream that may be paused is, and comes back only with room to spare", () => {
  const [allocator, encoders, share] = streams({ min: 100 * K, max: 300 * K }, { min: 100 * K, max: 300 * K, enforceMin: false });
  assert.deepEqual(share(200), [100, 100]);
  assert.deepEqual(share(190), [190, 0]);
  assert.equal(allocator.pauses, 1);
  assert.deepEqual(share(210), [210, 0], "100 + 20 is not there yet");
  assert.deepEqual(share(219), [219, 0]);
  assert.deepEqual(share(220), [100, 120]);
  assert.equal(allocator.resumptions, 1);
  assert.deepEqual(share(200), [100, 100], "once it runs it needs no more than its minimum");
  assert.equal(encoders[1]?.targets.at(-1), 100 * K);
});

test("what a stream spends on protection raises what it needs to come back", () => {
  const [allocator, encoders, share] = streams({ min: 100 * K, max: 300 * K, enforceMin: false });
  encoders[0]!.protection = 0.5;
  assert.deepEqual(share(200), [200]);
  assert.deepEqual(share(100), [0], "half of it would be FEC");
  assert.deepEqual(share(150), [150 - 150], "(100 + 0) × 1.5 was needed to keep it, (100 + 20) × 1.5 to bring it back");
  assert.deepEqual(share(181), [181]);
  assert.equal(allocator.resumptions, 1);
});

test("a paused stream asks for padding up to where it resumes", () => {
  const [allocator, , share] = streams({ min: 200 * K, max: 500 * K, enforceMin: false, padUp: 50 * K });
  assert.equal(allocator.limits.maxPadding, 50 * K);
  assert.deepEqual(share(100), [0]);
  assert.equal(allocator.limits.maxPadding, 220 * K);
  assert.equal(allocator.limits.minAllocated, 0);
  assert.equal(allocator.limits.maxAllocated, 500 * K);
});

test("streams join, leave and start from their part of the last rate", () => {
  const [allocator, encoders, share] = streams({ min: 50 * K, max: 2000 * K });
  assert.equal(allocator.startBitrate(new Encoder()), 150 * K, "300 kbit/s before the first estimate");
  assert.deepEqual(share(900), [900]);
  const late = new Encoder();
  assert.equal(allocator.startBitrate(late), 450 * K);
  allocator.set(late, { min: 50 * K, max: 2000 * K });
  assert.deepEqual(late.targets, [450 * K]);
  allocator.delete(encoders[0]!);
  assert.equal(allocator.allocation(encoders[0]!), undefined);
  assert.equal(allocator.limits.maxAllocated, 2000 * K);
});

test("observers hear of loss, and too many streams are refused", () => {
  const allocator = new BitrateAllocator(1);
  const encoder = new Encoder();
  assert.equal(allocator.set(encoder, { min: 0, max: 1 }), true);
  assert.equal(allocator.set(new Encoder(), { min: 0, max: 1 }), false);
  assert.equal(allocator.refused, 1);
  allocator.onEstimate(1, 0.25, 0);
  assert.equal(encoder.lossRatio, 0.25);
});

test("whatever the streams: never more than there is beyond enforced minima, nobody above twice its maximum, running streams have their minimum", () => {
  const prng = new Prng(1);
  for (let round = 0; round < 3000; round++) {
    const shares: Share[] = Array.from({ length: 1 + prng.below(6) }, () => {
      const min = prng.below(200) * K;
      const allocated = [-1, 0, min][prng.below(3)]!;
      const enforceMin = prng.chance(0.5);
      return {
        min,
        max: min + prng.below(1000) * K,
        priorityBitrate: prng.below(300) * K,
        enforceMin,
        weight: 0.1 + prng.float() * 4,
        allocated: enforceMin && allocated === 0 ? min : allocated,
        mediaRatio: 1,
        next: 0,
      };
    });
    const rate = prng.below(4000) * K;
    allocate(shares, rate);
    const sum = shares.reduce((total, { next }) => total + next, 0);
    const enforced = shares.reduce((total, { min, enforceMin }) => total + (enforceMin ? min : 0), 0);
    assert.ok(sum <= Math.max(rate, rate > 0 ? enforced : 0) + 1, `round ${round}: ${sum} of ${rate}`);
    for (const { min, max, next, enforceMin } of shares) {
      const hysteresis = Math.max(1.1 * min, min + 20 * K);
      assert.ok(next >= 0 && next <= Math.max(2 * max, hysteresis) + 1, `round ${round}: ${next} of at most ${max}`);
      assert.ok(next === 0 || next >= min - 1, `round ${round}: ${next} runs below ${min}`);
      if (enforceMin && rate > 0) assert.ok(next >= min - 1, `round ${round}: ${next} is not the enforced ${min}`);
    }
    const capacity = shares.reduce((total, { max }) => total + max, 0);
    const allRun = shares.every(({ next }) => next > 0);
    if (allRun && rate <= capacity && sum < rate - 1) assert.fail(`round ${round}: ${sum} of ${rate} shared out`);
  }
});
