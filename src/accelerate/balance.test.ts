import assert from "node:assert/strict";
import { test } from "node:test";
import { mix32 } from "../base/text-hash.ts";
import { balanceOf, groupOf } from "./testing/groups.ts";

const FLOWS = 20_000;
const chosen = (balance: ReturnType<typeof balanceOf>, count = FLOWS): string[] =>
  Array.from({ length: count }, (_, i) => balance.choose(mix32(i))?.endpoint.id ?? "none");
const counts = (ids: readonly string[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const id of ids) sums[id] = (sums[id] ?? 0) + 1;
  return sums;
};

test("the closest group gets all, by weights; weight 0 gets none", () => {
  const balance = balanceOf([groupOf("far", { f: 128 }), groupOf("near", { a: 128, b: 255, c: 0 })]);
  balance.arrange((region) => (region === "near" ? 0 : 1));
  const { a = 0, b = 0, c = 0, f = 0 } = counts(chosen(balance));
  assert.deepEqual([c, f, a + b], [0, 0, FLOWS]);
  assert.ok(Math.abs(a / FLOWS - 128 / 383) < 0.01, `${a}`);
  assert.equal(balance.reason, "dial");
});

test("AWS's example: two groups at 50 % each serve half of those near them and half of the others", () => {
  const groups = [groupOf("east", { e: 128 }, 50), groupOf("west", { w: 128 }, 50)];
  const [east, west] = [balanceOf(groups), balanceOf(groups)];
  west.arrange((region) => (region === "west" ? 0 : 1));
  const [fromEast, fromWest] = [counts(chosen(east)), counts(chosen(west))];
  for (const share of [fromEast.e, fromEast.w, fromWest.e, fromWest.w]) assert.ok(Math.abs(share! / FLOWS - 0.5) < 0.02, String(share));
});

test("a group with dial 0 gets nothing while another one serves, and all when none else can", () => {
  const sick = new Set<string>();
  const balance = balanceOf([groupOf("a", { a: 128 }, 40), groupOf("b", { b: 128 }, 0)], sick);
  assert.deepEqual(counts(chosen(balance)), { a: FLOWS });
  sick.add("a");
  assert.deepEqual(counts(chosen(balance)), { b: FLOWS });
  assert.equal(balance.reason, "failover");
});

test("failover looks in the three closest groups only, then fails open in the closest one, weights ignored", () => {
  const sick = new Set(["a", "b", "c"]);
  const groups = [groupOf("a", { a: 128, zero: 0 }), groupOf("b", { b: 128 }), groupOf("c", { c: 128 }), groupOf("d", { d: 128 })];
  const balance = balanceOf(groups, sick);
  const { a = 0, zero = 0, ...others } = counts(chosen(balance));
  assert.deepEqual(others, {});
  assert.ok(Math.abs(a - zero) < FLOWS * 0.05, `${a} and ${zero}`);
  assert.equal(balance.reason, "fail-open");
  sick.delete("c");
  assert.deepEqual(counts(chosen(balance)), { c: FLOWS });
});

test("what an endpoint refused goes to another one of its group, then to another group", () => {
  const balance = balanceOf([groupOf("a", { a: 128, b: 128 }), groupOf("c", { c: 128 })]);
  const first = balance.choose(7)!;
  const second = balance.choose(7, new Set([first]))!;
  assert.deepEqual([first.endpoint.id, second.endpoint.id].sort(), ["a", "b"]);
  assert.equal(balance.choose(7, new Set([first, second]))!.endpoint.id, "c");
});

test("no endpoints at all: none", () => {
  assert.equal(balanceOf([]).choose(1), undefined);
  assert.equal(balanceOf([groupOf("a", {})]).choose(1), undefined);
});

test("one of ten endpoints gone: its own flows move and no other, the same when its weight or health goes", () => {
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`e${i}`, 128]));
  const before = chosen(balanceOf([groupOf("a", ten)]));
  const { e4: _gone, ...nine } = ten;
  const moves = [
    chosen(balanceOf([groupOf("a", nine)])),
    chosen(balanceOf([groupOf("a", { ...ten, e4: 0 })])),
    chosen(balanceOf([groupOf("a", ten)], new Set(["e4"]))),
  ];
  for (const after of moves) {
    const moved = after.filter((id, i) => id !== before[i]).length;
    assert.equal(moved, before.filter((id) => id === "e4").length);
    assert.ok(moved / FLOWS <= 0.11, `${moved}`);
  }
});

test("a dial that changes moves only the share by which it changes", () => {
  const at = (dial: number) => chosen(balanceOf([groupOf("a", { a: 128 }, dial), groupOf("b", { b: 128 })]));
  const [eighty, seventy] = [at(80), at(70)];
  const moved = eighty.filter((id, i) => id !== seventy[i]).length;
  assert.ok(Math.abs(moved / FLOWS - 0.1) < 0.01, `${moved}`);
});
