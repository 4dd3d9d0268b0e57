import assert from "node:assert/strict";
import { test } from "node:test";
import { BurstEdge } from "./burst-edge.ts";

test("a burst that comes while another one is being sent: where the first ends is passed once", () => {
  const edge = new BurstEdge();
  edge.look(1000, 40, 0);
  edge.look(1002, 100, 10);
  assert.equal(edge.passed(20), false, "one burst");
  edge.look(1033, 117, 80);
  assert.equal(edge.passed(99), false);
  edge.look(1040, 117, 99);
  assert.equal(edge.passed(100), true);
  assert.equal(edge.passed(101), false);
});

test("a burst that was sent whole before the next one has no edge, nor has what comes without a pause", () => {
  const edge = new BurstEdge();
  edge.look(1000, 40, 0);
  edge.look(1033, 57, 40);
  assert.equal(edge.passed(57), false);
  for (let now = 1034; now < 1100; now += 4) edge.look(now, now, now - 20);
  assert.equal(edge.passed(1100), false);
});

test("segments are counted round the end of their numbers", () => {
  const edge = new BurstEdge();
  edge.look(1000, 0xffff_fff0, 0xffff_ff00);
  edge.look(1020, 16, 0xffff_ffe0);
  assert.equal(edge.passed(0xffff_ffef), false);
  assert.equal(edge.passed(0xffff_fff0), true);
});
