import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { desiredState, NOTHING_DESIRED } from "./desired-state.ts";
import { type Forward, parseForward } from "./forward.ts";
import { overlap } from "./listen.ts";
import { describePlan, isEmpty, plan } from "./plan.ts";

const forward = (name: string, listen: string, more: object = {}): Forward => parseForward({ name, listen, to: ["10.0.0.1"], ...more }, "");

test("overlapping forwards are refused with both names; those that are off claim nothing", () => {
  for (const [one, other] of [
    ["192.0.2.1:5000", "192.0.2.1:5000"],
    ["192.0.2.1:5000-5999", "192.0.2.1:5500"],
    ["192.0.2.1:5500", "192.0.2.0/24:5000-5999"],
    ["192.0.2.1-192.0.2.9:1-9", "192.0.2.9-192.0.2.20:9-10"],
  ] as const) {
    assert.throws(() => desiredState(1, [forward("one", one), forward("other", other)]), /"(one|other)".*"(one|other)".*claim the same/);
    desiredState(1, [forward("one", one), forward("other", other, { enabled: false })]);
  }
  desiredState(1, [forward("a", "192.0.2.1:1-9"), forward("b", "192.0.2.1:10"), forward("c", "192.0.2.2:1-9")]);
  assert.throws(() => desiredState(1, [forward("a", "192.0.2.1:1"), forward("a", "192.0.2.1:2")]), /two forwards are called "a"/);
});

test("overlaps are found as comparing each with each finds them", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Prng(seed);
    const forwards = Array.from({ length: 2 + random.below(7) }, (_, i) => {
      const [address, port] = [1 + random.below(12), 1 + random.below(40)];
      const last = address + (random.below(3) === 0 ? random.below(4) : 0);
      return forward(`f${i}`, `192.0.2.${address}-192.0.2.${last}:${port}-${port + (random.below(2) === 0 ? 0 : random.below(6))}`);
    });
    const expected = forwards.some((a, i) => forwards.slice(i + 1).some((b) => overlap(a.listen, b.listen)));
    let refused = false;
    try {
      desiredState(1, forwards);
    } catch {
      refused = true;
    }
    assert.equal(refused, expected, `seed ${seed}: ${forwards.map(({ text }) => text).join(" ")}`);
  }
});

test("a plan leads from any state to any other, touches nothing else, and is empty the second time", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Prng(seed);
    const state = (revision: number) =>
      desiredState(
        revision,
        Array.from({ length: 20 }, (_, i) => i)
          .filter(() => random.below(3) > 0)
          .map((i) => forward(`f${i}`, `192.0.2.1:${5000 + i}`, { idle: 100 + random.below(3) })),
      );
    const [before, after] = [state(1), state(2)];
    const change = plan(before, after);
    const reached = new Map(before.forwards);
    for (const { name } of change.removed) assert.ok(reached.delete(name), `seed ${seed}`);
    for (const each of change.added) {
      assert.ok(!reached.has(each.name), `seed ${seed}`);
      reached.set(each.name, each);
    }
    for (const each of change.changed) {
      assert.equal(reached.get(each.before.name), each.before, `seed ${seed}`);
      assert.notEqual(each.before.text, each.after.text, `seed ${seed}`);
      reached.set(each.after.name, each.after);
    }
    const texts = (forwards: ReadonlyMap<string, Forward>) => [...forwards.values()].map(({ text }) => text).sort();
    assert.deepEqual(texts(reached), texts(after.forwards), `seed ${seed}`);
    assert.ok(isEmpty(plan(after, desiredState(3, after.forwards.values()))), `seed ${seed}`);
  }
});

test("what a plan does is said in words", () => {
  const one = desiredState(1, [forward("a", "192.0.2.1:1"), forward("b", "192.0.2.1:2")]);
  const two = desiredState(2, [forward("b", "192.0.2.1:3"), forward("c", "192.0.2.1:4")]);
  assert.equal(describePlan(plan(one, two)), "1 added, 1 removed, 1 changed");
  assert.equal(describePlan(plan(NOTHING_DESIRED, one)), "2 added");
  assert.equal(describePlan(plan(one, one)), "nothing to change");
});
