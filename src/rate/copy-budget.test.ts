import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyBudget, type CopyKind } from "./copy-budget.ts";

/** Bytes copied of 1 MB in datagrams of 1,000, of which every tenth is resent and every fourth the last of a burst. */
function copied(share: number): Record<CopyKind, number> {
  const budget = new CopyBudget();
  budget.share = share;
  const sum = { resent: 0, last: 0, other: 0 };
  for (let i = 0; i < 1000; i++) {
    const kind = i % 10 === 0 ? "resent" : i % 4 === 1 ? "last" : "other";
    budget.earn(1000);
    if (budget.takes(kind, 1000)) sum[kind] += 1000;
  }
  return sum;
}

test("no share, no copies", () => {
  assert.deepEqual(copied(0), { resent: 0, last: 0, other: 0 });
});

test("what is resent goes first, then what is last, within the share", () => {
  const { resent, last, other } = copied(0.2);
  assert.ok(resent >= 99_000, `${resent} of 100,000 resent`);
  assert.ok(last > 80_000, `${last} last`);
  assert.equal(other, 0);
  assert.ok(resent + last <= 200_000);
  const few = copied(0.05);
  assert.ok(few.resent > 40_000 && few.last === 0, JSON.stringify(few));
});

test("all of it", () => {
  const { resent, last, other } = copied(1);
  assert.equal(resent + last + other, 1_000_000);
});
