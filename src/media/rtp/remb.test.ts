import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { putRemb, Remb } from "./remb.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

const write = (bitrate: number, ssrcs: number[], limitBytes = 2000): Uint8Array =>
  written((view, at, limit) => putRemb(view, at, limit, 1, bitrate, ssrcs, ssrcs.length), limitBytes);

test("golden bytes both ways: 0x220df · 2^6 bit/s", () => {
  const golden = "8fce0005 00000001 00000000 52454d42 011a20df 4897ae28".replaceAll(" ", "");
  const remb = new Remb();
  const rtcp = opened(golden);
  assert.ok(remb.read(rtcp));
  assert.deepEqual([remb.senderSsrc, remb.bitrate, remb.sources, remb.ssrc(rtcp, 0)], [1, 0x220df * 64, 1, 0x4897ae28]);
  assert.equal(hexOf(write(0x220df * 64, [0x4897ae28])), golden);
});

test("rates come back rounded down to 18 bits, from 0 to the greatest number", () => {
  const prng = new Prng(7);
  const remb = new Remb();
  for (let i = 0; i < 1000; i++) {
    const bitrate = i === 0 ? 0 : i === 1 ? Number.MAX_SAFE_INTEGER : Math.floor(2 ** (prng.float() * 53));
    const ssrcs = Array.from({ length: prng.below(10) }, () => prng.u32());
    const rtcp = opened(write(bitrate, ssrcs));
    assert.ok(remb.read(rtcp));
    assert.ok(remb.bitrate <= bitrate && remb.bitrate > bitrate * (1 - 2 ** -17) - 1, `${bitrate} reads ${remb.bitrate}`);
    if (bitrate < 2 ** 18) assert.equal(remb.bitrate, bitrate);
    assert.deepEqual(
      Array.from({ length: remb.sources }, (_, k) => remb.ssrc(rtcp, k)),
      ssrcs,
    );
  }
  assert.equal(write(1e6, [1, 2], 27).length, 0);
  assert.equal(write(1e6, [1, 2], 28).length, 28);
});

test("255 sources, and the greatest mantissa without an exponent", () => {
  const remb = new Remb();
  const ssrcs = Array.from({ length: 255 }, (_, i) => i);
  const bytes = write(0x3ffff, ssrcs);
  assert.equal(hexOf(bytes, 16, 20), "ff03ffff");
  assert.ok(remb.read(opened(bytes)));
  assert.deepEqual([remb.bitrate, remb.sources], [0x3ffff, 255]);
});

test("feedback of another application is passed over, damage is counted", () => {
  const remb = new Remb();
  const other = opened("8fce0003 00000001 00000000 41424344");
  assert.ok(!remb.read(other));
  assert.equal(other.stats.damagedBodies, 0);
  for (const damaged of [
    "8fce0002 00000001 00000000",
    "8fce0003 00000001 00000000 52454d42",
    "8fce0004 00000001 00000000 52454d42 01000001",
    "8fce0005 00000001 00000000 52454d42 00000001 00000001",
    "8fce0004 00000001 00000000 52454d42 00ffffff",
  ]) {
    const rtcp = opened(damaged);
    assert.ok(!remb.read(rtcp), damaged);
    assert.equal(rtcp.stats.damagedBodies, 1, damaged);
  }
});
