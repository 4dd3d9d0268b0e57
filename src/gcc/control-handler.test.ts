import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlHandler } from "./control-handler.ts";

test("the target passes while the network is up and the pacer keeps up", () => {
  const handler = new ControlHandler();
  assert.ok(Number.isNaN(handler.take()), "nothing before the first target");
  handler.setTarget(500_000);
  assert.equal(handler.take(), 500_000);
  assert.ok(Number.isNaN(handler.take()), "unchanged");
  handler.setNetworkUp(false);
  assert.equal(handler.take(), 0);
  handler.setTarget(600_000);
  assert.ok(Number.isNaN(handler.take()));
  handler.setNetworkUp(true);
  assert.equal(handler.take(), 600_000);
});

test("a queue of more than 2 s stops the encoders until it is shorter", () => {
  const handler = new ControlHandler();
  handler.setTarget(500_000);
  handler.setPacerQueueTime(2_000_000);
  assert.equal(handler.allowed, 500_000);
  handler.setPacerQueueTime(2_000_001);
  handler.setPacerQueueTime(3_000_000);
  assert.equal(handler.allowed, 0);
  assert.equal(handler.pauses, 1);
  handler.setPacerQueueTime(1_000_000);
  assert.equal(handler.allowed, 500_000);
});

test("a reduction by the congestion window alone is news too", () => {
  const handler = new ControlHandler();
  handler.setTarget(500_000);
  handler.take();
  handler.setTarget(500_000, 0.2);
  assert.equal(handler.take(), 500_000);
  assert.equal(handler.windowReduction, 0.2);
  assert.ok(Number.isNaN(handler.take()));
});
