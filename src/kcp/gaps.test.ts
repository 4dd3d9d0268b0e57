import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/units.ts";
import { AckList } from "./ack-list.ts";
import { Gaps } from "./gaps.ts";
import { PeerDelay } from "./peer-delay.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SegmentStore } from "./segment-store.ts";

const RTT = 200;
/** Our clock at an arrival less the peer's when it was sent. */
const WAY = 5100;

/** A receiver, and what it says by ACKs. */
class Receiver {
  readonly delay = new PeerDelay();
  readonly gaps = new Gaps(this.delay);
  readonly receive = new ReceiveWindow(1024, new SegmentStore());
  readonly acks = new AckList(1024);
  now = 0;
  #top = 0;

  /** Segments from…to−1 come, sent at `ts` by the peer's clock. */
  come(ts: number, from: number, to: number): void {
    this.now = ts + WAY;
    for (let sn = from; sn < to; sn++) {
      this.delay.took(this.now, ts);
      this.receive.put(sn, new Uint8Array(1), 0, 1);
      this.gaps.came(this.now, sn, sn - this.#top, ts);
      this.#top = Math.max(this.#top, sn + 1);
    }
  }

  /** What is asked until `until` with nothing coming, as `sn@ts`, each at its time. */
  asked(until: number): { readonly after: number; readonly acks: string }[] {
    const said = [];
    for (let at = this.gaps.deadline(); at <= until; at = this.gaps.deadline()) {
      const asks = this.gaps.turn(at, RTT, this.receive, this.acks);
      const acks: string[] = [];
      for (; this.acks.length > 0; this.acks.shift()) acks.push(`${this.acks.sn}@${this.acks.ts}`);
      assert.equal(asks, acks.length > 0);
      if (asks) said.push({ after: at - this.now, acks: acks.join(" ") });
    }
    return said;
  }
}

test("without holes nothing is asked for, and ACKs echo what came", () => {
  const to = new Receiver();
  for (let k = 0; k < 100; k++) to.come(1000 + 10 * k, k, k + 1);
  assert.equal(to.gaps.deadline(), NEVER);
  assert.equal(to.gaps.stamp(1990), 1990);
});

test("behind a hole ACKs are older than it, until it is closed; a hole that parity closes is not asked for", () => {
  const to = new Receiver();
  to.come(1000, 0, 10);
  to.come(1033, 13, 20);
  assert.equal(to.gaps.stamp(1033), 999);
  to.come(1000, 10, 13);
  assert.deepEqual(to.asked(to.now + 1000), []);
  assert.equal(to.gaps.stamp(1033), 1033);
});

test("a hole is asked for by ACKs of what is right behind it, with what came before that told again; the copies are asked for once more", () => {
  const to = new Receiver();
  to.come(1000, 0, 10);
  to.come(1033, 13, 14);
  to.come(1033, 16, 18);
  assert.deepEqual(to.asked(to.now + 100), [
    { after: 12, acks: "13@1033 13@1033 13@999 16@1033 16@1033" },
    // By the peer's clock the first copies leave at 1033 + 12 + 200, and a timer later; these come 35 later.
    { after: 47, acks: "13@1300 13@1300 16@1300 16@1300" },
  ]);
});

test("copies that what was sent later has overtaken are asked for again, and each hole no more than so often", () => {
  const to = new Receiver();
  to.come(1000, 0, 10);
  to.come(1033, 12, 13);
  assert.equal(to.asked(to.now + 100).length, 2);
  // The copies left at 1033 + 12 + 35 + 200 at the latest, and a timer later.
  to.come(1300, 13, 14);
  assert.deepEqual(to.asked(to.now), []);
  to.come(1330, 14, 15);
  assert.deepEqual(
    to.asked(to.now).map(({ after }) => after),
    [0],
  );
  let times = 3;
  for (let ts = 1400; ts < 60_000; ts += 400) {
    to.come(ts, 15 + (ts - 1400) / 400, 16 + (ts - 1400) / 400);
    times += to.asked(to.now + 399).length;
  }
  assert.equal(times, 16);
  assert.equal(to.gaps.deadline(), NEVER);
});

test("a long hole is of a queue that ran over: no second copies", () => {
  const to = new Receiver();
  to.come(1000, 0, 10);
  to.come(1033, 40, 41);
  assert.equal(to.asked(to.now + 100).length, 1);
});

test("more holes than are remembered: the newest are asked for", () => {
  const to = new Receiver();
  to.come(1000, 0, 1);
  for (let k = 0; k < 300; k++) to.come(1001, 2 * k + 2, 2 * k + 3);
  const asked = to.asked(to.now + 20);
  assert.equal(asked.length, 1);
  assert.match(asked[0]!.acks, / 600@1001 600@1001$/);
});

test("what comes into a hole though it was sent no later than what overtook it", () => {
  const receiver = new Receiver();
  receiver.come(1000, 0, 4);
  receiver.come(1002, 9, 10);
  const { gaps, now } = receiver;
  assert.equal(gaps.overtaken(now + 6, 5, 1001), 6);
  assert.equal(gaps.overtaken(now + 6, 5, 1002), 6, "of the same flush");
  assert.equal(gaps.overtaken(now + 60, 5, 1030), 0, "sent again");
  assert.equal(gaps.overtaken(now + 6, 3, 1001), 0, "not missing");
});
