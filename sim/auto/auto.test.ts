import assert from "node:assert/strict";
import { test } from "node:test";
import { auto, play, profiles, quantile } from "./case.ts";
import { figures, misses, rows, run } from "./table.ts";

const row = (name: string) => rows.find((candidate) => candidate.name === name)!;

for (const [name, seconds] of [
  ["rt a", 10],
  ["rt c", 6],
  ["rt d", 6],
  ["msg c", 20],
  ["bulk d", 8],
  ["rt f a little busy", 8],
  ["rt 25 % lost", 8],
  ["rt d from kcptun", 8],
] as const) {
  test(`${name}: within its bounds, as npm run sim:auto has them for longer runs`, () => {
    const result = run(row(name), 1, seconds);
    const { mbps = 0, p99: _p99, ...bounds } = row(name).bounds;
    // A short run begins with growing, and has few frames beyond the 99th of a hundred.
    assert.deepEqual(misses({ ...row(name), bounds: { ...bounds, mbps: mbps * 0.8 } }, figures([result])), []);
    assert.equal(result.world.links.ba.counters.droppedQueue, 0);
  });
}

test("without parity the same loss costs round trips: it is FEC that keeps the delay low", () => {
  const ends = { ...auto, parityshard: 0 };
  const bare = play({ kind: "rt", link: profiles.c, seed: 1, seconds: 6, client: ends, server: ends });
  assert.ok(quantile(bare.delays, 0.95) > row("rt c").bounds.p95!);
});
