import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { AckList } from "./ack-list.ts";
import { Credit } from "./credit.ts";
import { Probe } from "./probe.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SegmentStore } from "./segment-store.ts";

const LENGTH = 1000;
const UNUSED = 8000;

const receive = new ReceiveWindow(UNUSED, new SegmentStore());

/** Segments `from` up to `to` come, a millisecond apart; answers when. */
function come(credit: Credit, now: number, from: number, to: number): number {
  for (let sn = from; sn < to; sn++) {
    credit.now = ++now;
    credit.stored(sn, (now + 900) >>> 0, LENGTH, true);
  }
  return now;
}

/** Segments behind `nxt` that the peer may send, as a packet would tell it. */
function room(credit: Credit, nxt: number, unused: number): number {
  const una = credit.una(nxt);
  return una + credit.window(nxt, unused) - nxt;
}

/** A burst of 200 of which the queue took 20, and what was sent 33 ms later. */
function overflowed(): { credit: Credit; now: number } {
  const credit = new Credit();
  return { credit, now: come(credit, come(credit, 0, 0, 20) + 20, 200, 217) };
}

test("nothing is limited by loss that is spread, nor by short runs", () => {
  const credit = new Credit();
  let now = 0;
  for (let sn = 0; sn < 4000; sn += 40) now = come(credit, now, sn, sn + 25);
  assert.equal(credit.pressed, false);
});

test("a run of loss that is long for a run is no queue that ran over", () => {
  const credit = new Credit();
  come(credit, come(credit, 0, 0, 128), 188, 300);
  assert.equal(credit.pressed, false);
});

test("most of a row lost: nothing new until what is missing has come, then no more at once than a burst", () => {
  const { credit, now } = overflowed();
  assert.equal(credit.limited, true);
  assert.equal(credit.overflows, 1);
  assert.equal(room(credit, 20, UNUSED), 197);
  const later = come(credit, now, 20, 200);
  assert.ok(room(credit, 217, UNUSED) <= 20, "unused window is what leaves at once");
  assert.ok(room(credit, 217, UNUSED) >= 12);
  assert.equal(room(credit, 217, 3), 3);
  assert.equal(room(credit, 217, 0), 0);
  assert.ok(later < NEVER);
});

test("what is missing is asked for once nothing more comes: an ACK of the newest segment, again after a round trip", () => {
  const { credit, now } = overflowed();
  const probe = new Probe(500);
  const acks = new AckList(256);
  credit.turn(now, probe, receive, acks);
  assert.equal(acks.length, 0);
  const due = credit.deadline();
  assert.ok(due > now && due < now + 50);
  assert.equal(credit.turn(due, probe, receive, acks), true);
  assert.deepEqual([acks.length, acks.sn, acks.ts], [2, 216, now + 900]);
  assert.ok(credit.deadline() >= due + credit.rtt);
});

test("a limited peer is asked for its window now and then, and the answer is a round trip", () => {
  const { credit, now } = overflowed();
  const probe = new Probe(500);
  credit.turn(now, probe, receive, new AckList(256));
  assert.equal(probe.ask, true);
  credit.told(now + 320);
  assert.equal(credit.rtt, 320);
  credit.told(now + 400);
  assert.equal(credit.rtt, 320);
});

test("a peer that uses up all it may send gets more by and by, told without anything to acknowledge", () => {
  const { credit, now: begun } = overflowed();
  const probe = new Probe(500);
  const acks = new AckList(256);
  let now = come(credit, begun, 20, 200);
  let edge = 217 + room(credit, 217, UNUSED);
  let top = 217;
  let told = 0;
  // A round trip of 200 ms, no queue: what may leave comes a round trip later.
  for (let round = 0; round < 12; round++) {
    const may = edge;
    for (let at = 0; at < 200; at++) {
      now++;
      credit.now = now;
      if (top < may && at % 2 === 0) {
        credit.datagram(now, LENGTH);
        credit.stored(top++, now + 900, LENGTH, true);
      }
      if (credit.turn(now, probe, receive, acks)) told++;
      edge = top + room(credit, top, UNUSED);
    }
  }
  assert.ok(edge - top > 32, `${edge - top} segments are on their way`);
  assert.ok(told > 10);
});

test("where losses go on though next to nothing was let go, nothing is limited for a minute", () => {
  const { credit, now: begun } = overflowed();
  let now = begun;
  let top = 217;
  for (let row = 0; row < 40 && credit.limited; row++) {
    now = come(credit, now + 1000, top + 20, top + 70);
    now = come(credit, now, top, top + 20);
    top += 70;
    room(credit, top, UNUSED);
  }
  assert.equal(credit.limited, false);
  come(credit, now, top + 60, top + 80);
  assert.equal(credit.limited, false);
});

test("off for a peer that limits itself", () => {
  const credit = new Credit();
  credit.off = true;
  come(credit, come(credit, 0, 0, 20), 200, 217);
  assert.equal(credit.limited, false);
});
