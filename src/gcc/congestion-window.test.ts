import assert from "node:assert/strict";
import { test } from "node:test";
import { CongestionWindow } from "./congestion-window.ts";

/** A window of 100,000 bytes: 1 Mbit/s × (450 + 350) ms. */
function window(inFlight: number, options = {}): CongestionWindow {
  const w = new CongestionWindow(options);
  w.updateWindow(1_000_000, 450_000);
  assert.equal(w.window, 100_000);
  w.setInFlight(inFlight);
  return w;
}

test("push-back by how full the window is", () => {
  assert.equal(new CongestionWindow().pushBack(80_000), 80_000, "no window yet");
  assert.equal(window(50_000).pushBack(80_000), 80_000);
  assert.equal(window(199_000).pushBack(80_000), 72_000);
  const full = window(101_000);
  assert.equal(full.full, true);
  assert.equal(full.pushBack(80_000), 76_000);
  full.setInFlight(50_000);
  assert.ok(Math.abs(full.pushBack(80_000) - 79_800) < 1e-6);
  full.setInFlight(9000);
  assert.equal(full.pushBack(80_000), 80_000);
});

test("never below 30 kbit/s, and back from there at once", () => {
  const w = window(300_000);
  for (let i = 0; i < 100; i++) w.pushBack(80_000);
  assert.equal(w.pushBack(80_000), 30_000);
  assert.equal(w.pushBack(20_000), 20_000, "a target below the floor is not raised");
  const again = window(300_000);
  for (let i = 0; i < 100; i++) again.pushBack(80_000);
  again.setInFlight(50_000);
  assert.equal(Math.round(again.pushBack(80_000)), 31_500);
});

test("the pacer's queue counts, unless told otherwise", () => {
  for (const [countPacerQueue, expected] of [
    [true, 76_000],
    [false, 80_000],
  ] as const) {
    const w = window(50_000, { countPacerQueue });
    w.setPacerQueue(60_000);
    assert.equal(w.pushBack(80_000), expected);
  }
});

test("the window is averaged with the one before and holds two packets", () => {
  const w = window(0);
  w.updateWindow(2_000_000, 450_000);
  assert.equal(w.window, 150_000);
  for (let i = 0; i < 20; i++) w.updateWindow(1000, 450_000);
  assert.equal(w.window, 3000);
  const before = w.window;
  w.updateWindow(1_000_000, Number.NaN);
  assert.equal(w.window, before);
});
