import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { Schedule } from "./schedule.ts";
import { Verdict } from "./verdict.ts";

test("the first result decides, later ones only so many in turn", () => {
  const verdict = new Verdict(undefined);
  assert.deepEqual([verdict.tell(undefined, 3), verdict.healthy], [true, false]);
  assert.deepEqual([verdict.tell(5, 2), verdict.tell(undefined, 2), verdict.tell(5, 2), verdict.healthy], [false, false, false, false]);
  assert.deepEqual([verdict.tell(7, 2), verdict.healthy, verdict.answeredMs, verdict.failures], [true, true, 7, 2]);
});

test("one that begins healthy stays so until it failed often enough", () => {
  const verdict = new Verdict(true);
  assert.deepEqual([verdict.tell(undefined, 2), verdict.tell(undefined, 2)], [false, true]);
});

const wanted = (periods: Record<string, number>) => new Map(Object.entries(periods).map(([item, period]) => [item, { item, period }]));

test("each is asked once a period, and not again before its outcome is known", () => {
  const schedule = new Schedule<string>();
  schedule.want(wanted({ a: 200, b: 10_000 }), 0);
  const asked = { a: 0, b: 0 };
  for (let now = 0; now <= 10_000; now += 10)
    for (const item of schedule.due(now) as ("a" | "b")[]) {
      asked[item]++;
      if (item === "a") schedule.finished("a", now + 5);
    }
  assert.ok(asked.a >= 49 && asked.a <= 51, String(asked.a));
  assert.equal(asked.b, 1);
  assert.equal(schedule.finished("b", 50_000), true);
  assert.deepEqual(schedule.due(50_000).sort(), ["a", "b"]);
});

test("hurry asks at once; what is not wanted any more is forgotten", () => {
  const schedule = new Schedule<string>();
  schedule.want(wanted({ a: 30_000 }), 0);
  schedule.due(1000);
  assert.equal(schedule.hurry("a", 1000), false, "it is being asked");
  schedule.finished("a", 1001);
  assert.deepEqual(schedule.due(2000), []);
  assert.equal(schedule.hurry("a", 2000), true);
  assert.deepEqual(schedule.due(2000), ["a"]);
  schedule.finished("a", 2001);
  schedule.want(new Map(), 2002);
  assert.deepEqual([schedule.finished("a", 2003), schedule.hurry("a", 2003), schedule.due(100_000)], [false, false, []]);
  assert.equal(schedule.deadline(), NEVER);
});

test("a thousand that come together are spread over their first second", () => {
  const schedule = new Schedule<string>();
  schedule.want(wanted(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`e${i}`, 30_000]))), 0);
  for (let now = 100; now <= 1000; now += 100) {
    const { length } = schedule.due(now);
    assert.ok(length >= 90 && length <= 110, `${length} of a thousand in a tenth of the second`);
  }
});
