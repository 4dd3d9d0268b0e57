import assert from "node:assert/strict";
import { test } from "node:test";
import { WayMemory } from "./way-memory.ts";

test("what a way carried is known when the session comes back to it, for a few minutes", () => {
  const memory = new WayMemory();
  memory.keep(0, 3, { bandwidth: 2500, minRtt: 100 });
  memory.keep(0, 4, { bandwidth: 0, minRtt: 100 });
  assert.equal(memory.recall(60_000, 3)?.bandwidth, 2500);
  assert.equal(memory.recall(60_000, 4), undefined, "nothing was learned there");
  assert.equal(memory.recall(600_000, 3), undefined, "too long ago");
});
