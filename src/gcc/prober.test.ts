import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeCluster } from "./packet-result.ts";
import { Prober } from "./prober.ts";

function cluster(id: number, targetRate: number, createdAt = 0): ProbeCluster {
  return { id, createdAt, targetRate, targetDuration: 15_000, minProbeDelta: 2000, targetProbeCount: 5 };
}

// Source of the figures: libwebrtc 2026 bitrate_prober_unittest (900 and 1800 kbit/s, packets of 1000 bytes).
test("two clusters: rates, spacing and numbers", () => {
  const prober = new Prober();
  assert.equal(prober.probing, false);
  prober.add(0, cluster(1, 900_000));
  prober.add(0, cluster(2, 1_800_000));
  assert.equal(prober.probing, false, "it waits for a packet");
  prober.onPacketQueued(1000);
  let now = 0;
  for (const [id, rate, bursts] of [
    [1, 900_000, 5],
    [2, 1_800_000, 5],
  ] as const) {
    const start = now;
    for (let i = 0; i < bursts; i++) {
      assert.equal(prober.current(now)?.id, id);
      prober.onSent(now, 1000);
      if (i < bursts - 1) now = prober.nextTime;
    }
    // Four gaps of 1000 bytes each.
    assert.ok(Math.abs((4 * 8e9) / (now - start) - rate) < 1, `${now - start} µs`);
    now = Math.max(now, start);
  }
  assert.equal(prober.probing, false);
  assert.equal(prober.finished, 2);
});

test("a burst that is more than 10 ms late ends its cluster", () => {
  const prober = new Prober();
  prober.add(0, cluster(1, 900_000));
  prober.onPacketQueued(1000);
  assert.equal(prober.current(0)?.id, 1);
  prober.onSent(0, 1000);
  assert.equal(prober.current(prober.nextTime + 9_999)?.id, 1);
  assert.equal(prober.current(prober.nextTime + 10_001), undefined);
  assert.equal(prober.dropped, 1);
});

test("packets too small to measure by do not start a cluster", () => {
  const prober = new Prober();
  // 2 ms at 300 kbit/s are 75 bytes, at 10 Mbit/s the bound of 200 bytes holds.
  prober.add(0, cluster(1, 300_000));
  prober.onPacketQueued(74);
  assert.equal(prober.probing, false);
  prober.onPacketQueued(75);
  assert.equal(prober.probing, true);
  const fast = new Prober();
  fast.add(0, cluster(1, 10_000_000));
  fast.onPacketQueued(199);
  assert.equal(fast.probing, false);
  fast.onPacketQueued(200);
  assert.equal(fast.probing, true);
  assert.equal(fast.recommendedBytes, 2500);
});

test("a cluster is over after its bytes, not only its bursts", () => {
  const prober = new Prober();
  // 15 ms at 80 Mbit/s: 150,000 bytes.
  prober.add(0, cluster(1, 80_000_000));
  prober.onPacketQueued(1500);
  let now = 0;
  let sent = 0;
  while (prober.current(now) !== undefined) {
    prober.onSent(now, 20_000);
    sent += 20_000;
    now = Math.max(now, prober.nextTime);
  }
  assert.equal(sent, 160_000);
});

test("at most five clusters wait, for at most five seconds", () => {
  const prober = new Prober();
  for (let id = 1; id <= 7; id++) prober.add(0, cluster(id, 900_000));
  assert.equal(prober.dropped, 2);
  prober.onPacketQueued(1000);
  assert.equal(prober.current(0)?.id, 3);
  prober.add(5_000_001, cluster(8, 900_000, 5_000_001));
  prober.onPacketQueued(1000);
  assert.equal(prober.current(5_000_001)?.id, 8);
});
