import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { Goodbye, putGoodbye } from "./goodbye.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

const none = new Uint8Array(0);

function read(packet: Uint8Array | string): { ssrcs: number[]; reason: string } | undefined {
  const rtcp = opened(packet);
  const goodbye = new Goodbye();
  if (!goodbye.read(rtcp)) {
    assert.equal(rtcp.stats.damagedBodies, 1);
    return undefined;
  }
  return {
    ssrcs: Array.from({ length: goodbye.sources }, (_, i) => goodbye.ssrc(rtcp, i)),
    reason: Buffer.from(rtcp.bytes.subarray(goodbye.reasonStart, goodbye.reasonEnd)).toString(),
  };
}

test("golden bytes both ways, with and without a reason", () => {
  const golden = "82cb0003 902f9e2e bc5e9a40 03464f4f";
  assert.deepEqual(read(golden), { ssrcs: [0x902f9e2e, 0xbc5e9a40], reason: "FOO" });
  assert.equal(
    hexOf(written((view, at, limit) => putGoodbye(view, at, limit, [0x902f9e2e, 0xbc5e9a40], Buffer.from("FOO")))),
    golden.replaceAll(" ", ""),
  );
  assert.equal(hexOf(written((view, at, limit) => putGoodbye(view, at, limit, [7], Buffer.from("hi")))), "81cb00020000000702686900");
  assert.deepEqual(read("81cb0002 00000007 02686900"), { ssrcs: [7], reason: "hi" });
  assert.equal(hexOf(written((view, at, limit) => putGoodbye(view, at, limit, [7], none))), "81cb000100000007");
  assert.deepEqual(read("80cb0000"), { ssrcs: [], reason: "" });
});

test("missing sources and a reason cut short are damage", () => {
  for (const damaged of ["82cb0001 00000007", "81cb0002 00000007 04686900", "81cb0000"]) assert.equal(read(damaged), undefined, damaged);
});

test("random ones come back; what does not fit is not written", () => {
  const prng = new Prng(5);
  for (let round = 0; round < 300; round++) {
    const ssrcs = Array.from({ length: prng.below(32) }, () => prng.u32());
    const reason = "r".repeat(prng.below(256));
    const write = (view: DataView, at: number, limit: number): number => putGoodbye(view, at, limit, ssrcs, Buffer.from(reason));
    const bytes = written(write);
    assert.deepEqual(read(bytes), { ssrcs, reason });
    assert.equal(written(write, bytes.length).length, bytes.length);
    assert.equal(written(write, bytes.length - 1).length, 0);
  }
});
