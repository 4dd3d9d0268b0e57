import assert from "node:assert/strict";
import { test } from "node:test";
import { Pacer } from "./pacer.ts";

test("packets leave at the rate, whoever wakes late, and a pause earns no burst", () => {
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
