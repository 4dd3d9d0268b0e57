import assert from "node:assert/strict";
import { test } from "node:test";
import { InterArrival } from "./inter-arrival.ts";

test("deltas run from the last packet of a group to the last of the next", () => {
  const groups = new InterArrival();
  assert.equal(groups.receive(0, 50_000, 0, 100), false);
  assert.equal(groups.receive(4000, 55_001, 0, 200), false);
  assert.equal(groups.receive(20_000, 71_000, 0, 400), false, "the first group is complete, but alone");
  assert.equal(groups.receive(23_000, 77_000, 0, 50), false);
  assert.equal(groups.receive(40_000, 93_000, 0, 100), true);
  assert.equal(groups.sendDelta, 19_000);
  assert.equal(groups.arrivalDelta, 21_999);
  assert.equal(groups.sizeDelta, 150);
});

test("a packet belongs to the group up to 5 ms after its first", () => {
  const groups = new InterArrival();
  groups.receive(0, 0, 0, 1);
  groups.receive(5000, 6000, 0, 1);
  groups.receive(20_000, 30_000, 0, 1);
  assert.equal(groups.receive(25_001, 45_000, 0, 1), true, "5001 µs begin a new group");
  assert.equal(groups.sendDelta, 15_000);
});

test("packets that caught up in a queue are one burst, for at most 100 ms", () => {
  const groups = new InterArrival();
  groups.receive(0, 0, 0, 1);
  groups.receive(20_000, 20_000, 0, 1);
  let completed = 0;
  // Sent 6 ms apart, arriving 4 ms apart: each arrived sooner after its predecessor than it was sent.
  for (let i = 1; i <= 25; i++) if (groups.receive(20_000 + 6000 * i, 20_000 + 4000 * i, 0, 1)) completed++;
  assert.equal(completed, 1);
  assert.equal(groups.arrivalDelta, 96_000 + 20_000, "the burst lasted to its 24th packet, 96 ms after its first");
});

test("a gap of more than 5 ms between arrivals ends a burst", () => {
  for (const [gap, ends] of [
    [5000, false],
    [5001, true],
  ] as const) {
    const groups = new InterArrival();
    groups.receive(0, 0, 0, 1);
    groups.receive(20_000, 20_000, 0, 1);
    assert.equal(groups.receive(30_000, 20_000 + gap, 0, 1), ends, `${gap} µs`);
  }
});

test("packets sent before the group's first are ignored", () => {
  const groups = new InterArrival();
  groups.receive(0, 0, 0, 1);
  groups.receive(20_000, 20_000, 0, 1);
  assert.equal(groups.receive(10_000, 25_000, 0, 1), false);
  assert.equal(groups.receive(40_000, 40_000, 0, 1), true);
  assert.equal(groups.arrivalDelta, 20_000);
});

test("arrivals 3 s ahead of our clock reset, as do three groups in the wrong order", () => {
  const groups = new InterArrival();
  for (let i = 0; i < 3; i++) groups.receive(i * 20_000, i * 20_000, i * 20_000, 1);
  groups.receive(60_000, 3_060_000, 60_000, 1);
  assert.equal(groups.receive(80_000, 3_080_000, 80_000, 1), false);
  assert.equal(groups.resets, 1);

  const back = new InterArrival();
  for (let i = 0; i < 3; i++) back.receive(i * 20_000, 10_000_000 + i * 20_000, i * 20_000, 1);
  back.receive(60_000, 1_000_000, 60_000, 1);
  for (let i = 4; i < 6; i++) assert.equal(back.receive(i * 20_000, 1_000_000 + i * 20_000, i * 20_000, 1), false);
  assert.equal(back.resets, 0);
  back.receive(120_000, 1_120_000, 120_000, 1);
  assert.equal(back.resets, 1);
});
