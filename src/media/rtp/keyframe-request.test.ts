/** The two ways to ask for a keyframe: PLI and FIR. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FullIntraRequest, putFullIntraRequest } from "./full-intra-request.ts";
import { PictureLoss, putPictureLoss } from "./picture-loss.ts";
import { hexOf, opened, written } from "./testing/packet.ts";

test("PLI: golden bytes both ways, damage, no room", () => {
  const golden = "81ce0002 902f9e2e bc5e9a40";
  const loss = new PictureLoss();
  assert.ok(loss.read(opened(golden)));
  assert.deepEqual([loss.senderSsrc, loss.mediaSsrc], [0x902f9e2e, 0xbc5e9a40]);
  assert.equal(hexOf(written((view, at, limit) => putPictureLoss(view, at, limit, 0x902f9e2e, 0xbc5e9a40))), golden.replaceAll(" ", ""));
  const rtcp = opened("81ce0001 902f9e2e");
  assert.ok(!loss.read(rtcp));
  assert.equal(rtcp.stats.damagedBodies, 1);
  assert.equal(written((view, at, limit) => putPictureLoss(view, at, limit, 1, 2), 11).length, 0);
});

test("FIR: golden bytes both ways, several sources, damage, no room", () => {
  const request = new FullIntraRequest();
  const rtcp = opened("84ce0006 00000001 00000000 bc5e9a40 ff000000 00000003 07abcdef");
  assert.ok(request.read(rtcp));
  assert.equal(request.senderSsrc, 1);
  assert.ok(request.next(rtcp));
  assert.deepEqual([request.ssrc, request.commandSequence], [0xbc5e9a40, 255]);
  assert.ok(request.next(rtcp));
  assert.deepEqual([request.ssrc, request.commandSequence], [3, 7]);
  assert.ok(!request.next(rtcp));
  assert.equal(
    hexOf(written((view, at, limit) => putFullIntraRequest(view, at, limit, 1, 0xbc5e9a40, 255))),
    "84ce00040000000100000000bc5e9a40ff000000",
  );
  for (const damaged of ["84ce0002 00000001 00000000", "84ce0003 00000001 00000000 00000003"]) {
    const walk = opened(damaged);
    assert.ok(!request.read(walk));
    assert.equal(walk.stats.damagedBodies, 1);
  }
  assert.equal(written((view, at, limit) => putFullIntraRequest(view, at, limit, 1, 2, 3), 19).length, 0);
  assert.equal(written((view, at, limit) => putFullIntraRequest(view, at, limit, 1, 2, 3), 20).length, 20);
});
