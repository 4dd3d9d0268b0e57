import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { EncodingChoice } from "./encoding-choice.ts";

const rates = [2_000_000, 700_000, 200_000];
const second = 1_000_000;

/** What is sent after `seconds` in which the path allows `allowed(time)`, asked ten times a second. */
function follow(choice: EncodingChoice, from: number, present: number, seconds: number, allowed: (time: number) => number): number {
  let at = present;
  for (let time = from; time < from + seconds * second; time += second / 10) at = choice.choose(time, rates, at, allowed(time), false);
  return at;
}

test("nothing is changed before the path is known, or for a moment's lack", () => {
  const choice = new EncodingChoice();
  assert.equal(
    follow(choice, 0, 0, 10, () => 0),
    0,
  );
  assert.equal(
    follow(choice, 10 * second, 0, 10, (time) => (time % second < 300_000 ? 500_000 : 2_500_000)),
    0,
  );
  assert.deepEqual(choice.stats, { up: 0, down: 0 });
});

test("down to what fits, past what does not; up by any number with a fifth of room", () => {
  const choice = new EncodingChoice();
  assert.equal(
    follow(choice, 0, 0, 1, () => 300_000),
    2,
  );
  assert.equal(
    follow(choice, second, 2, 3, () => 840_000),
    1,
  );
  assert.equal(
    follow(choice, 4 * second, 1, 5, () => 2_300_000),
    1,
  );
  assert.equal(
    follow(choice, 9 * second, 1, 3, () => 2_400_000),
    0,
  );
  assert.equal(
    follow(choice, 12 * second, 0, 1, () => 100_000),
    2,
  );
  assert.equal(
    follow(choice, 13 * second, 2, 5, () => 5_000_000),
    0,
  );
});

test("a queue before the path counts as lack of room, whatever the estimate says", () => {
  const choice = new EncodingChoice();
  assert.equal(choice.choose(0, rates, 0, 9_000_000, true), 0);
  assert.equal(choice.choose(600_000, rates, 0, 9_000_000, true), 1);
});

test("attempts that do not last become rare, and often again after one that did", () => {
  const choice = new EncodingChoice();
  let at = 1;
  // 2 Mbit/s are promised until they are used.
  for (let time = 0; time < 120 * second; time += second / 10) at = choice.choose(time, rates, at, at === 0 ? 1_500_000 : 3_000_000, false);
  const { up } = choice.stats;
  assert.ok(up >= 5 && up <= 8, `${up} attempts in two minutes`);
  at = follow(choice, 120 * second, at, 60, () => 3_000_000);
  assert.equal(at, 0);
  at = follow(choice, 180 * second, at, 1, () => 1_000_000);
  assert.equal(
    follow(choice, 181 * second, at, 3, () => 3_000_000),
    0,
  );
});

test("what is not offered is never chosen (random courses)", () => {
  const seed = Number(process.env.SEED ?? 20_261_122);
  const prng = new Prng(seed);
  for (let run = 0; run < 200; run++) {
    const choice = new EncodingChoice();
    let at = 0;
    for (let time = 0; time < 5 * second; time += second / 10) {
      const offered = Array.from({ length: 1 + prng.below(4) }, () => prng.below(3_000_000));
      at = Math.min(at, offered.length - 1);
      at = choice.choose(time, offered, at, prng.below(4_000_000), prng.below(5) === 0);
      assert.ok(Number.isInteger(at) && at >= 0 && at < offered.length, `seed ${seed}, run ${run}`);
    }
  }
});
