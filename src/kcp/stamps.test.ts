import assert from "node:assert/strict";
import { test } from "node:test";
import { AckList } from "./ack-list.ts";
import { PeerDelay } from "./peer-delay.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SegmentStore } from "./segment-store.ts";
import { Stamps } from "./stamps.ts";

/** Our clock at an arrival less the peer's when it was sent. */
const WAY = 5100;

function come(delay: PeerDelay, stamps: Stamps, ts: number, sn: number, ahead: number): void {
  delay.took(ts + WAY, ts);
  stamps.took(ts + WAY, sn, ahead, ts, true);
}

/** Segment 0 at 1000 and segment 3 at 1033, by the peer's clock. */
function hole(steers: boolean): { delay: PeerDelay; stamps: Stamps } {
  const delay = new PeerDelay();
  const stamps = new Stamps(delay);
  stamps.steers = steers;
  come(delay, stamps, 1000, 0, 0);
  come(delay, stamps, 1033, 3, 2);
  return { delay, stamps };
}

test("a peer that is not asked for holes is told what it sent, and its timers are left to it", () => {
  const { stamps } = hole(false);
  assert.equal(stamps.of(1033), 1033);
  assert.equal(stamps.last(1033 + WAY), -1);
  assert.equal(stamps.turn(1033 + WAY + 1000, 200, new ReceiveWindow(64, new SegmentStore()), new AckList(64)), false);
});

test("an ACK behind a hole is older than that, and so is the round trip told last, up to half a second", () => {
  const { delay, stamps } = hole(true);
  assert.equal(stamps.of(1033), 999);
  assert.equal(stamps.last(1040 + WAY), 999);
  assert.equal(stamps.last(1040 + WAY), -1, "once for what was stamped");
  come(delay, stamps, 1600, 4, 0);
  assert.equal(stamps.of(1600), 999);
  assert.equal(stamps.last(1600 + WAY), 1600);
});
