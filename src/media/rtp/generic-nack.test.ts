import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { GenericNack, GenericNackWriter } from "./generic-nack.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

function read(packet: Uint8Array | string): number[] | undefined {
  const rtcp = opened(packet);
  const nack = new GenericNack();
  if (!nack.read(rtcp)) {
    assert.equal(rtcp.stats.damagedBodies, 1);
    return undefined;
  }
  assert.deepEqual([nack.senderSsrc, nack.mediaSsrc], [1, 2]);
  const missing: number[] = [];
  while (nack.next(rtcp)) missing.push(nack.sequenceNumber);
  assert.ok(!nack.next(rtcp));
  return missing;
}

function write(missing: readonly number[], limitBytes = 2000): Uint8Array {
  const writer = new GenericNackWriter();
  return written((view, at, limit) => {
    writer.begin(view, at, limit, 1, 2);
    for (const sequence of missing) if (!writer.add(sequence)) break;
    return writer.finish();
  }, limitBytes);
}

test("golden bytes both ways: a run across the wrap, the last bit of a mask, one beyond it", () => {
  const golden = "81cd0005 00000001 00000002 fffe0007 00648000 00750000".replaceAll(" ", "");
  const missing = [0xfffe, 0xffff, 0, 1, 100, 116, 117];
  assert.deepEqual(read(golden), missing);
  assert.equal(hexOf(write(missing)), golden);
});

test("a first number near 0 needs an entry of its own", () => {
  assert.equal(hexOf(write([1, 2])), "81cd0003000000010000000200010001");
});

test("entries that are missing or cut are damage; nothing added, nothing written", () => {
  for (const damaged of ["81cd0002 00000001 00000002", "81cd0001 00000001", "a1cd0003 00000001 00000002 00000001"])
    assert.equal(read(damaged), undefined, damaged);
  assert.equal(write([]).length, 0);
});

test("random losses come back; a full packet keeps the first of them", () => {
  const prng = new Prng(6);
  for (let round = 0; round < 500; round++) {
    let sequence = prng.below(65_536);
    const missing = Array.from({ length: 1 + prng.below(60) }, () => {
      sequence += 1 + prng.below(prng.chance(0.3) ? 500 : 4);
      return sequence & 0xffff;
    });
    assert.deepEqual(read(write(missing)), missing);
    const cut = read(write(missing, 16 + prng.below(30)))!;
    assert.ok(cut.length > 0);
    assert.deepEqual(cut, missing.slice(0, cut.length));
  }
});
