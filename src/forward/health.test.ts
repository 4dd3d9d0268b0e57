import assert from "node:assert/strict";
import { test } from "node:test";
import { type Forward, parseForward, weighted } from "./forward.ts";
import { Health } from "./health.ts";
import { formatBackend } from "./listen.ts";

const forward = (more: object = {}): Forward =>
  parseForward(
    {
      name: "a",
      listen: "192.0.2.1:5000",
      to: ["10.0.0.1:1@5", "10.0.0.2:1"],
      check: "udp",
      checkperiod: 10,
      checkrise: 2,
      checkfall: 3,
      ...more,
    },
    "",
  );
const served = (health: Health, of: Forward): string[] => weighted(health.weigh(of)).map(formatBackend);

test("silences in turn take a backend out, answers in turn bring it back with its weight", () => {
  const health = new Health();
  const a = forward();
  health.watch([a], 0);
  let now = 0;
  const round = (silent: string): boolean => {
    now += 10_000;
    return health
      .due(now)
      .map(({ key, backend }) => health.outcome(key, formatBackend(backend) === silent ? undefined : 3, now))
      .includes(true);
  };
  assert.deepEqual([round("10.0.0.1:1"), round("10.0.0.1:1")], [false, false]);
  round("");
  assert.deepEqual(
    [round("10.0.0.1:1"), round("10.0.0.1:1"), served(health, a).length],
    [false, false, 2],
    "an answer between begins anew",
  );
  assert.equal(round("10.0.0.1:1"), true);
  assert.deepEqual(served(health, a), ["10.0.0.2:1"]);
  assert.deepEqual([round(""), round("")], [false, true]);
  assert.deepEqual(health.weigh(a), a);
  assert.deepEqual([health.counters.turnedUnhealthy, health.counters.turnedHealthy], [1, 1]);
});

test("all silent: all keep their weights; without a check nothing is asked", () => {
  const health = new Health();
  const a = forward({ checkfall: 1 });
  health.watch([a, forward({ name: "b", listen: "192.0.2.1:5001", check: "none" })], 0);
  const due = health.due(20_000);
  assert.equal(due.length, 2);
  for (const { key } of due) health.outcome(key, undefined, 20_000);
  assert.deepEqual(health.weigh(a), a);
  assert.deepEqual(
    health.list().map(({ healthy }) => healthy),
    [false, false],
  );
});

test("a check that several forwards share is sent once; a check under way is not sent again; what is known stays known", () => {
  const health = new Health();
  const [a, b] = [forward({ checkfall: 1 }), forward({ name: "b", listen: "192.0.2.1:5001", checkfall: 1 })];
  health.watch([a, b], 0);
  const due = health.due(20_000);
  assert.equal(due.length, 2);
  assert.equal(health.due(40_000).length, 0);
  health.outcome(due.find(({ backend }) => formatBackend(backend) === "10.0.0.1:1")!.key, undefined, 40_000);
  health.watch([b], 50_000);
  assert.deepEqual(served(health, b), ["10.0.0.2:1"]);
  assert.equal(health.list().length, 2);
  assert.ok(health.deadline() <= 50_000);
});
