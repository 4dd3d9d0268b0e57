import assert from "node:assert/strict";
import { test } from "node:test";
import { Balance } from "./balance.ts";
import { endpoint, group } from "./edge-config.ts";
import { CHOICES, kernelChoices } from "./kernel-choices.ts";

interface GroupOf {
  readonly dial?: number;
  readonly weights: readonly number[];
  readonly dead?: readonly number[];
}

function balanceOf(groups: Readonly<Record<string, GroupOf>>): Balance {
  const dead = new Set(Object.entries(groups).flatMap(([id, { dead = [] }]) => dead.map((i) => `${id}${i}`)));
  const made = Object.entries(groups).map(([id, { dial = 100, weights }]) =>
    group.parse({
      ...{ id, region: id, dial, check: { port: 1 } },
      endpoints: weights.map((weight, i) => endpoint.parse({ id: `${id}${i}`, host: `${id}${i}`, weight })),
    }),
  );
  return new Balance(made, (_group, { id }) => ({ healthy: !dead.has(id), dead: dead.has(id) }));
}

function partsOf(balance: Balance): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const { endpoint } of kernelChoices(balance)) parts[endpoint.id] = (parts[endpoint.id] ?? 0) + 1;
  return parts;
}

function sampled(balance: Balance, flows: number): Record<string, number> {
  const parts: Record<string, number> = {};
  for (let i = 0; i < flows; i++) {
    const id = balance.choose(Math.imul(i, 0x9e37_79b1) >>> 0)!.endpoint.id;
    parts[id] = (parts[id] ?? 0) + 1;
  }
  return parts;
}

const worlds: Readonly<Record<string, Readonly<Record<string, GroupOf>>>> = {
  "one group": { a: { weights: [128, 128, 64] } },
  "dials, one after another": { a: { dial: 50, weights: [1, 3] }, b: { dial: 50, weights: [10] }, c: { weights: [5, 5] } },
  "the last one takes what is left": { a: { dial: 30, weights: [1] }, b: { dial: 20, weights: [1] } },
  failover: { a: { dial: 60, weights: [1, 1], dead: [0, 1] }, b: { weights: [1, 2] } },
  "failover against a dial of 0": { a: { weights: [1], dead: [0] }, b: { dial: 0, weights: [7, 1] } },
  "no dial at all": { a: { dial: 0, weights: [1, 1] }, b: { dial: 0, weights: [1] } },
  "fail open": { a: { weights: [1, 0, 9], dead: [0, 1, 2] }, b: { weights: [1], dead: [0] } },
};

for (const [name, groups] of Object.entries(worlds))
  test(`the table has the parts that very many flows have: ${name}`, () => {
    const balance = balanceOf(groups);
    const expected = balance.expected();
    const real = sampled(balance, 100_000);
    const table = partsOf(balance);
    const ids = new Set([...Object.keys(real), ...Object.keys(table), ...Array.from(expected.keys(), ({ endpoint }) => endpoint.id)]);
    const total = Object.values(table).reduce((sum, n) => sum + n, 0);
    for (const id of ids) {
      const part = [...expected].find(([{ endpoint }]) => endpoint.id === id)?.[1].part ?? 0;
      assert.ok(Math.abs((real[id] ?? 0) / 100_000 - part) < 0.005, `${id}: ${real[id]} of 100000 flows, expected ${part}`);
      assert.ok(Math.abs((table[id] ?? 0) / total - part) <= 1 / CHOICES, `${id}: ${table[id]} of ${total} places, expected ${part}`);
    }
  });

test("the least weight has a place", () => {
  assert.deepEqual(partsOf(balanceOf({ a: { weights: [255, 255, 255, 255, 255, 255, 255, 255, 1] } })).a8, 1);
});

test("one of ten gone: hardly more than its own places move", () => {
  const ten = { a: { weights: Array.from({ length: 10 }, () => 128) } };
  const before = kernelChoices(balanceOf(ten));
  const after = kernelChoices(balanceOf({ a: { ...ten.a, dead: [4] } }));
  const moved = before.filter(({ endpoint }, i) => endpoint.id !== after[i]!.endpoint.id).length;
  const own = before.filter(({ endpoint }) => endpoint.id === "a4").length;
  assert.ok(moved >= own && moved <= CHOICES * 0.15, `${moved} moved, ${own} had to`);
});

test("equal configurations make equal tables", () => {
  const ids = (): string[] => kernelChoices(balanceOf(worlds["dials, one after another"]!)).map(({ endpoint }) => endpoint.id);
  assert.deepEqual(ids(), ids());
});

test("no endpoint: no place", () => {
  assert.deepEqual(kernelChoices(balanceOf({ a: { weights: [] } })), []);
});
