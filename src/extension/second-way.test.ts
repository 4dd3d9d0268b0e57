import assert from "node:assert/strict";
import { test } from "node:test";
import { SecondWay } from "./second-way.ts";

const all = (): boolean => true;

test("the quickest of the other ways that work; another one has to be quicker by a fifth", () => {
  const second = new SecondWay(4);
  second.choose(0, all);
  assert.equal(second.index, -1, "nobody has answered");
  for (const [index, rtt] of [40, 90, 60, 55].entries()) second.heard(1000, index, rtt);
  second.choose(0, all);
  assert.equal(second.index, 3);
  second.heard(1050, 2, 50);
  second.choose(0, all);
  assert.equal(second.index, 3, "not by a fifth");
  second.heard(1100, 2, 40);
  second.choose(0, all);
  assert.equal(second.index, 2);
  second.choose(0, (index) => index === 1);
  assert.equal(second.index, 1);
  second.choose(2, all);
  assert.equal(second.index, 0, "the active one has become another");
});

test("a way that is being filled takes no copies until its queue is half gone; jitter is no queue", () => {
  const second = new SecondWay(2);
  for (let now = 1000, i = 0; now < 3000; now += 50, i++) {
    second.heard(now, 1, 60 + (i % 3) * 40);
    second.choose(0, all);
    assert.equal(second.index, 1, `jitter at ${now}`);
  }
  for (let now = 3000; now < 4000; now += 50) second.heard(now, 1, 200);
  second.choose(0, all);
  assert.equal(second.index, -1);
  second.heard(4000, 1, 110);
  second.choose(0, all);
  assert.equal(second.index, -1);
  second.heard(4050, 1, 70);
  second.choose(0, all);
  assert.equal(second.index, 1);
});
