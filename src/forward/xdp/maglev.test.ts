import assert from "node:assert/strict";
import { test } from "node:test";
import { maglevTable } from "./maglev.ts";

function shares(table: Uint32Array, backends: number): number[] {
  const counts = new Array<number>(backends).fill(0);
  for (const index of table) counts[index]!++;
  return counts.map((count) => count / table.length);
}

test("each backend has its share of the table", () => {
  const table = maglevTable([
    { name: "a", weight: 3 },
    { name: "b", weight: 1 },
    { name: "c", weight: 1 },
  ]);
  const [a, b, c] = shares(table, 3);
  assert.ok(Math.abs(a! - 0.6) < 0.01 && Math.abs(b! - 0.2) < 0.01 && Math.abs(c! - 0.2) < 0.01, String([a, b, c]));
});

test("the order in which backends are given does not matter", () => {
  const names = ["x", "y", "z"];
  const there = [...maglevTable(names.map((name) => ({ name, weight: 1 })))].map((index) => names[index]);
  const reversed = names.toReversed();
  const back = [...maglevTable(reversed.map((name) => ({ name, weight: 1 })))].map((index) => reversed[index]);
  assert.deepEqual(back, there);
});

test("when one backend goes, few places of the others change", () => {
  const backends = Array.from({ length: 8 }, (_, i) => ({ name: `10.0.0.${i}:5000`, weight: 1 }));
  const before = maglevTable(backends);
  const after = maglevTable(backends.slice(0, 7).concat({ name: "10.0.0.99:5000", weight: 1 }));
  const moved = before.reduce((sum, index, i) => sum + (index !== 7 && after[i] !== index ? 1 : 0), 0);
  assert.ok(moved / before.length < 0.2, `${moved} of ${before.length} moved`);
});

test("64 backends of unlike weights fill a table", () => {
  const table = maglevTable(Array.from({ length: 64 }, (_, i) => ({ name: `${i}`, weight: 1 + (i % 1000) })));
  assert.equal(table.length, 8191);
  assert.ok(table.every((index) => index < 64));
});
