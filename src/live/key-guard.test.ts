import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyGuard } from "./key-guard.ts";

test("an address that guesses is not heard for a while, the others are", () => {
  const guard = new KeyGuard({ triesMax: 3, window: 1000, addressesMax: 2 });
  assert.deepEqual(
    [0, 1, 2].map((now) => guard.wrong("a", now)),
    [false, false, true],
  );
  assert.equal(guard.allows("a", 500), false);
  assert.equal(guard.allows("b", 500), true);
  assert.equal(guard.allows("a", 1000), true, "the window begins with the first try");
  assert.deepEqual(guard.counters, { wrong: 3, blocked: 1, forgotten: 0 });
});

test("addresses remembered are bounded", () => {
  const guard = new KeyGuard({ triesMax: 1, window: 1000, addressesMax: 2 });
  for (const address of ["a", "b", "c"]) guard.wrong(address, 0);
  assert.deepEqual(
    ["a", "b", "c"].map((address) => guard.allows(address, 1)),
    [true, false, false],
  );
  assert.equal(guard.counters.forgotten, 1);
});
