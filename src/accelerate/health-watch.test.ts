import assert from "node:assert/strict";
import { test } from "node:test";
import { REFUSED, SILENT, WRONG } from "../host/probe-outcome.ts";
import { edgeConfig } from "./edge-config.ts";
import { HealthWatch, standingKey } from "./health-watch.ts";

const config = (hosts: readonly string[], check: object = {}, region = "r") =>
  edgeConfig.parse({
    revision: 1,
    accelerators: [
      {
        ...{ id: "a", addresses: ["192.0.2.1"] },
        listeners: [
          {
            ...{ id: "l", protocol: "TCP", ports: [{ from: 80, to: 80 }] },
            groups: [{ id: "g", region, check: { port: 80, ...check }, endpoints: hosts.map((host, i) => ({ id: `e${i}`, host })) }],
          },
        ],
      },
    ],
  });
const keyOf = (of: ReturnType<typeof config>, i = 0): string => {
  const group = of.accelerators[0]!.listeners[0]!.groups[0]!;
  return standingKey(group.check, group.endpoints[i]!);
};
/** Makes the check that is due, with this outcome; what changed. */
const round = (watch: HealthWatch, key: string, now: number, outcome: Parameters<HealthWatch["outcome"]>[1]) => {
  assert.deepEqual(
    watch.due(now).map((ask) => ask.key),
    [key],
  );
  return watch.outcome(key, outcome, now).change;
};

test("a new endpoint is healthy with its first answer; then only the threshold changes it, both ways", () => {
  const of = config(["192.0.2.9"], { intervalMs: 10_000, threshold: 3 });
  const key = keyOf(of);
  const watch = new HealthWatch();
  watch.watch(of, 0);
  let now = 1000;
  const next = (outcome: Parameters<HealthWatch["outcome"]>[1]) => {
    now += 10_000;
    return round(watch, key, now, outcome);
  };
  assert.deepEqual([watch.list()[0]!.healthy, next({ took: 5 })], [undefined, { key, healthy: true, dead: false }]);
  assert.deepEqual([next(SILENT), next(SILENT), next({ took: 5 })], [undefined, undefined, undefined]);
  assert.deepEqual([next(SILENT), next(SILENT), next(SILENT)], [undefined, undefined, { key, healthy: false, dead: true }]);
  assert.deepEqual([next({ took: 5 }), next({ took: 5 }), next({ took: 5 })], [undefined, undefined, { key, healthy: true, dead: false }]);
});

test("unhealthy by a wrong answer is not dead; when it falls silent it is", () => {
  const of = config(["192.0.2.9"], { threshold: 1, intervalMs: 10_000 });
  const key = keyOf(of);
  const watch = new HealthWatch();
  watch.watch(of, 0);
  assert.equal(round(watch, key, 10_000, WRONG), undefined, "it was not healthy before either");
  assert.deepEqual(round(watch, key, 20_000, { took: 1 }), { key, healthy: true, dead: false });
  assert.deepEqual(round(watch, key, 30_000, WRONG), { key, healthy: false, dead: false });
  assert.deepEqual(round(watch, key, 40_000, REFUSED), { key, healthy: false, dead: true });
});

test("a suspicion has it asked at once and one failure is enough; an answer clears it; suspicions alone change nothing", () => {
  const of = config(["192.0.2.9"], { threshold: 3, intervalMs: 30_000 });
  const key = keyOf(of);
  const watch = new HealthWatch();
  watch.watch(of, 0);
  round(watch, key, 1000, { took: 2 });
  assert.equal(watch.suspect(key, 2000), true);
  assert.equal(watch.timeout(watch.due(2000)[0]!), 500);
  assert.deepEqual([watch.suspect(key, 2050), watch.outcome(key, { took: 2 }, 2100).change], [false, undefined]);
  for (let i = 0; i < 100; i++) watch.suspect(key, 2500 + i);
  assert.equal(watch.counters.suspicions, 2);
  assert.equal(watch.list()[0]!.healthy, true);
  assert.deepEqual(round(watch, key, 2600, REFUSED), { key, healthy: false, dead: true });
});

test("equal checks of one host are one; what is known stays; what nobody wants is forgotten", () => {
  const watch = new HealthWatch();
  const both = config(["192.0.2.9", "192.0.2.10", "192.0.2.9"]);
  watch.watch(both, 0);
  assert.equal(watch.list().length, 2);
  for (const { key } of watch.due(40_000)) watch.outcome(key, { took: 7 }, 40_000);
  watch.watch(config(["192.0.2.10", "192.0.2.11"]), 41_000);
  assert.deepEqual(
    watch.list().map(({ host, healthy }) => [host, healthy]),
    [
      ["192.0.2.10", true],
      ["192.0.2.11", undefined],
    ],
  );
});

test("answers make regions close", () => {
  const watch = new HealthWatch();
  const of = config(["192.0.2.9"], {}, "eu");
  const two = { ...of, accelerators: [...of.accelerators, ...config(["192.0.2.10"], {}, "us").accelerators] };
  watch.watch(two, 0);
  assert.deepEqual(watch.closeness.regions, ["eu", "us"]);
  const moved = watch.due(40_000).map(({ key }) => watch.outcome(key, { took: key.startsWith("192.0.2.10") ? 5 : 50 }, 40_000).moved);
  assert.ok(moved.includes(true));
  assert.deepEqual(watch.closeness.regions, ["us", "eu"]);
});
