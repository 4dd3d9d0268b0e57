import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { Waiters } from "./waiters.ts";

test("a waiter ends when what it waits for is there, not before", async () => {
  const waiters = new Waiters(10);
  let there = false;
  let ended = false;
  const waited = waiters.wait(0, 1000, () => there).finally(() => (ended = true));
  waiters.notify();
  await Promise.resolve();
  assert.equal(ended, false);
  there = true;
  waiters.notify();
  assert.equal(await waited, "ready");
  assert.equal(waiters.length, 0);
  assert.equal(await waiters.wait(0, 1000, () => true), "ready");
});

test("waiters expire in order, and the deadline is the next one's", async () => {
  const waiters = new Waiters(10);
  const first = waiters.wait(0, 1000, () => false);
  const second = waiters.wait(500, 1000, () => false);
  assert.equal(waiters.advance(999), 1000);
  assert.equal(waiters.advance(1000), 1500);
  assert.equal(await first, "timeout");
  assert.equal(waiters.advance(1500), NEVER);
  assert.equal(await second, "timeout");
  assert.equal(waiters.counters.timeouts, 2);
});

test("there is room for so many, and one that hangs up gives its place back", async () => {
  const waiters = new Waiters(2);
  const hangUp = new AbortController();
  const first = waiters.wait(0, 1000, () => false, hangUp.signal);
  void waiters.wait(0, 1000, () => false);
  assert.equal(await waiters.wait(0, 1000, () => false), "full");
  hangUp.abort();
  assert.equal(await first, "gone");
  assert.equal(waiters.length, 1);
  assert.equal(await waiters.wait(0, 1000, () => false, hangUp.signal), "gone");
  assert.deepEqual([waiters.counters.full, waiters.counters.gone, waiters.length], [1, 1, 1]);
});
