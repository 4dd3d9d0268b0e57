import assert from "node:assert/strict";
import { test } from "node:test";
import { Pacer } from "./pacer.ts";

test("packets leave at the rate, whoever wakes late, and a pause earns a small burst", () => {
  const pacer = new Pacer();
  let now = 1000;
  let sent = 0;
  for (; now < 2000; now += 1) {
    while (pacer.admits(now)) {
      pacer.spend(now, 1000, 500);
      sent += 1000;
    }
  }
  assert.ok(Math.abs(sent - 500_000) < 6000, `${sent} bytes in a second at 500 bytes/ms`);
  let burst = 0;
  while (pacer.admits(9000)) {
    pacer.spend(9000, 1000, 500);
    burst += 1000;
  }
  assert.ok(burst <= 5000, `${burst} bytes after a pause`);
  assert.ok(pacer.deadline() > 9000 && pacer.admits(pacer.deadline()));
});

test("who is woken late while packets wait makes up for 5 ms of it, and is told how much the rest was", () => {
  const sent = (waiting: boolean): number => {
    const pacer = new Pacer();
    pacer.spend(1000, 1000, 5000);
    pacer.waiting = waiting;
    // The pause before has earned 3 ms.
    assert.ok(Math.abs(pacer.lateness(1050.2) - (waiting ? 48 : 0)) < 1, `${pacer.lateness(1050.2)}`);
    let bytes = 0;
    for (; pacer.admits(1050); bytes += 1000) pacer.spend(1050, 1000, 5000);
    return bytes;
  };
  assert.ok(sent(true) >= 7 * 5000 && sent(true) < 8 * 5000, `${sent(true)}: 5 ms made up for, 2 ms early`);
  assert.ok(sent(false) < 6 * 5000, `${sent(false)} after a pause: 3 ms earned, 2 ms early`);
});

test("on a quick path a pause earns no more than 32 kB", () => {
  const pacer = new Pacer();
  pacer.spend(1000, 1000, 50_000);
  let bytes = 0;
  for (; pacer.admits(2000); bytes += 1000) pacer.spend(2000, 1000, 50_000);
  assert.ok(bytes > 2 * 50_000 + 30_000 && bytes < 2 * 50_000 + 35_000, `${bytes}: 2 ms early besides`);
});
