import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { IncomingBitrate } from "./incoming-bitrate.ts";

test("it is known from the second packet on, over the time since the first", () => {
  const bitrate = new IncomingBitrate();
  assert.equal(bitrate.rate(0), undefined);
  bitrate.add(1000, 5_000_000);
  assert.equal(bitrate.rate(5_000_000), undefined);
  assert.equal(bitrate.rate(5_100_000), undefined, "one packet is no rate");
  bitrate.add(1000, 5_100_000);
  assert.equal(bitrate.rate(5_100_000), 158_416, "2000 bytes in 101 ms");
});

test("bytes leave the window after a second", () => {
  const bitrate = new IncomingBitrate();
  for (let t = 0; t < 3000; t += 10) bitrate.add(125, t * 1000);
  assert.equal(bitrate.rate(2_999_000), 100_000);
  assert.equal(bitrate.rate(3_498_000), 50_000, "half the window is silent");
  assert.equal(bitrate.known(10_000_000), false);
  bitrate.reset();
  assert.equal(bitrate.rate(10_000_000), undefined);
});

test("a single packet of a full window counts", () => {
  const bitrate = new IncomingBitrate();
  bitrate.add(500, 0);
  bitrate.add(1000, 5_000_000);
  assert.equal(bitrate.rate(5_000_000), 8000);
});

test("random packets agree with a sum over a list", () => {
  const seed = 11;
  const random = new Prng(seed);
  const bitrate = new IncomingBitrate();
  const packets: { at: number; bytes: number }[] = [];
  let at = 0;
  for (let i = 0; i < 3000; i++) {
    at += random.chance(0.01) ? random.below(1500) : random.below(8);
    const bytes = random.below(1500);
    bitrate.add(bytes, at * 1000);
    packets.push({ at, bytes });
    const inside = packets.filter((packet) => packet.at > at - 1000);
    const first = packets[0]?.at ?? 0;
    const window = Math.min(at - first + 1, 1000);
    const known = window > 1 && (inside.length > 1 || window === 1000);
    const sum = inside.reduce((total, packet) => total + packet.bytes, 0);
    assert.equal(bitrate.rate(at * 1000), known ? Math.floor((sum * 8000) / window + 0.5) : undefined, `seed ${seed}, step ${i}`);
    while ((packets[1]?.at ?? Number.POSITIVE_INFINITY) <= at - 1000) packets.splice(1, 1);
  }
});
