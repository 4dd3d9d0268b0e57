import assert from "node:assert/strict";
import { test } from "node:test";
import { UnaLag } from "./una-lag.ts";

test("something stays behind while segments come, and is told in steps while none do", () => {
  const una = new UnaLag(0);
  let nxt = 0;
  for (let now = 0; now < 200; now++) una.next(now, ++nxt);
  assert.ok(una.lag > 32 && una.lag <= 48, `${una.lag} segments`);
  const { lag } = una;
  for (let step = 1; step <= 5; step++) assert.equal(una.next(200, nxt), nxt - lag + step);
  assert.ok(una.step(250) <= 250 / una.lag);
});

test("nothing stays behind for long, and never more than its bound", () => {
  const una = new UnaLag(0xfffffff0);
  assert.equal(una.next(0, 0x00000100), 0x00000100 - 48);
  assert.equal(una.next(una.due, 0x00000100), 0x00000100);
  assert.equal(una.lag, 0);
});
