import assert from "node:assert/strict";
import { test } from "node:test";
import type { AckRound, RateController } from "../base/rate-controller.ts";
import { Flight } from "./flight.ts";

class Controller implements RateController {
  window = 1_000_000;
  pacingRate = 1000;
  readonly rounds: AckRound[] = [];
  sent(): void {}
  acknowledged(_now: number, round: AckRound): void {
    this.rounds.push({ ...round });
  }
}

class Peer {
  readonly controller = new Controller();
  readonly flight = new Flight(this.controller, 100, 64);
  now = 0;

  send(sn: number, again = false): void {
    this.flight.turn(this.now);
    this.flight.launch(sn, 900, again);
  }

  /** The peer acknowledges the copy of `sn` that was sent at `ts`. */
  ack(sn: number, ts: number): void {
    this.flight.packet(this.now);
    this.flight.settle(sn);
    this.flight.heard(sn, ts);
    this.flight.turn(this.now);
  }
}

test("what was sent before something that has arrived is lost, once something behind its parity has arrived", () => {
  const peer = new Peer();
  const { flight } = peer;
  for (let sn = 0; sn < 4; sn++, peer.now += 5) peer.send(sn);
  peer.now = 100;
  peer.ack(1, 5);
  assert.equal(flight.lost, 0);
  assert.equal(flight.inFlight, 2000);
  peer.send(0, true);
  assert.equal(flight.lost, -1);
  flight.groups.rows = 2;
  peer.now = 110;
  for (let sn = 4; sn < 7; sn++, peer.now += 5) peer.send(sn);
  peer.now = 220;
  peer.ack(5, 115);
  assert.equal(flight.stats.lostByOrder, 4, "0 twice, 2 and 3; not 4 while its parity may replace it");
  flight.groups.end(peer.now, 2);
  peer.send(7);
  peer.now = 330;
  peer.ack(7, 220);
  assert.equal(flight.stats.lostByOrder + flight.stats.lostByTime, 6, "4 and 6 too: their group has ended, a later one has arrived");
});

test("the last segments are given up by time, and while nothing comes back only a few probes go", () => {
  const peer = new Peer();
  const { flight } = peer;
  for (let sn = 0; sn < 40; sn++) peer.send(sn);
  peer.now = 100;
  peer.ack(0, 0);
  assert.ok(flight.deadline() > 100 && flight.deadline() < 300);
  peer.now = flight.deadline();
  flight.turn(peer.now);
  const first = flight.stats.lostByTime;
  assert.ok(first > 0 && first <= 32);
  for (let sn = flight.lost; sn >= 0; sn = flight.lost) peer.send(sn, true);
  const { now } = peer;
  let rounds = 0;
  for (; peer.now < now + 5000; rounds++) {
    peer.now = flight.deadline();
    flight.turn(peer.now);
    for (let sn = flight.lost; sn >= 0; sn = flight.lost) peer.send(sn, true);
  }
  assert.ok(rounds >= 20, "probes go on");
  assert.ok(flight.stats.lostByTime - first < 500, `${flight.stats.lostByTime - first} resends in 5 s of silence`);
});

test("behind a moment without a path all that left for it is resent, once; where nothing comes back for longer only probes go", () => {
  const peer = new Peer();
  const { flight } = peer;
  const resent: number[] = [];
  // A segment every 5 ms over 100 ms; nothing of what leaves from 150 ms on is acknowledged, so the last word comes at 245.
  for (let t = 0; t < 900; t += 5) {
    peer.now = t;
    if (t >= 100 && t < 250) peer.ack((t - 100) / 5, t - 100);
    const before = flight.stats.lostByTime;
    flight.turn(t);
    for (let sn = flight.lost; sn >= 0; sn = flight.lost) peer.send(sn, true);
    resent[t] = flight.stats.lostByTime - before;
    if (t < 400) peer.send(t / 5);
  }
  const within = (from: number, to: number): number => resent.slice(from, to).reduce((sum, n) => sum + (n ?? 0), 0);
  assert.ok(within(245, 296) <= 6, `${within(245, 296)} at first: the peer may be late`);
  assert.ok(within(296, 396) >= 22, `${within(296, 396)} of the 28 that are overdue`);
  assert.ok(within(400, 900) <= 36, `${within(400, 900)} probes in half a second`);
});

test("a resend whose first copy arrived after all was needless, and makes the next ones wait longer", () => {
  const peer = new Peer();
  const { flight } = peer;
  for (let round = 0; round < 10; round++) {
    peer.now += 200;
    const sn = 2 * round;
    const at = peer.now;
    peer.send(sn);
    peer.now += 2;
    peer.send(sn + 1);
    peer.now += 100;
    peer.ack(sn + 1, at + 2);
    if (flight.lost >= 0) peer.send(sn, true);
    peer.now += 1;
    peer.ack(sn, at);
  }
  assert.ok(flight.stats.needless >= 1 && flight.stats.needless < 6, `${flight.stats.needless} of 10`);
});

test("delivery rate: what arrived, over the longer of sending and arriving; marked when the application had no more", () => {
  const peer = new Peer();
  const { controller, flight } = peer;
  for (let sn = 0; sn < 20; sn++, peer.now += 1) peer.send(sn);
  flight.turn(peer.now);
  flight.exhausted();
  for (let sn = 0; sn < 20; sn++) {
    peer.now = 100 + 2 * sn;
    peer.ack(sn, sn);
  }
  const last = controller.rounds.at(-1)!;
  assert.equal(last.delivered, 20_000);
  assert.ok(Math.abs(last.rate - 20_000 / 138) < 10, `${last.rate}`);
  assert.equal(last.appLimited, false, "it was sent before the application ran dry");
  peer.send(20);
  peer.now += 100;
  peer.ack(20, 138);
  assert.equal(controller.rounds.at(-1)!.rtt, 100);
});

test("a resend acknowledged sooner than any round trip was needless, also when only una tells", () => {
  const peer = new Peer();
  const { flight } = peer;
  peer.send(0);
  peer.now = 100;
  peer.ack(0, 0);
  peer.send(1);
  peer.now += flight.patience.timeout + 1;
  flight.turn(peer.now);
  assert.equal(flight.lost, 1);
  peer.send(1, true);
  peer.now += 20;
  flight.packet(peer.now);
  flight.settle(1);
  flight.turn(peer.now);
  assert.deepEqual([flight.stats.needless, flight.stats.gone], [1, 0]);
  flight.heard(1, 100);
  assert.equal(flight.stats.needless, 1, "counted once");
});

test("of what nothing was heard of at all only a few are sent again at first: the peer may be late", () => {
  const peer = new Peer();
  const { flight } = peer;
  peer.send(0);
  peer.now = 100;
  peer.ack(0, 0);
  for (let sn = 1; sn < 20; sn++) peer.send(sn);
  peer.now += flight.patience.timeout + 1;
  flight.turn(peer.now);
  assert.equal(flight.stats.lostByTime, 3);
  peer.now = 130;
  const other = new Peer();
  for (let sn = 0; sn < 20; sn++) other.send(sn);
  other.now = 100;
  other.ack(0, 0);
  other.now += other.flight.patience.timeout + 1;
  other.flight.turn(other.now);
  assert.equal(other.flight.stats.lostByTime, 19, "something sent with them has arrived");
});

test("more missing of a group than its parity replaces is lost before a later group arrives", () => {
  const peer = new Peer();
  const { flight } = peer;
  flight.groups.rows = 2;
  for (let sn = 0; sn < 10; sn++, peer.now += 2) peer.send(sn);
  flight.groups.end(peer.now, 2);
  peer.now = 110;
  peer.ack(2, 4);
  assert.equal(flight.lost, -1, "two are missing");
  peer.ack(6, 12);
  assert.equal(flight.stats.lostByOrder, 5, "five are");
});

test("what is heard of copies that took another path tells nothing of this one", () => {
  const peer = new Peer();
  const { flight, controller } = peer;
  for (let sn = 0; sn < 4; sn++, peer.now += 5) peer.send(sn);
  flight.moved(false);
  assert.equal(flight.inFlight, 0);
  peer.now = 40;
  // One is acknowledged before it is sent again, one after.
  peer.ack(0, 0);
  peer.send(1, true);
  peer.now = 60;
  peer.ack(1, 5);
  assert.deepEqual(
    controller.rounds.map(({ rate, rtt }) => [rate, rtt]),
    [
      [0, -1],
      [0, -1],
    ],
  );
  peer.send(2, true);
  peer.now = 100;
  peer.ack(2, 60);
  assert.equal(controller.rounds.at(-1)!.rtt, 40);
});

test("a path slower than the first timeout is found out, though all is sent again before it is acknowledged", () => {
  const peer = new Peer();
  const { flight } = peer;
  peer.send(0);
  peer.now = 301;
  flight.turn(peer.now);
  assert.equal(flight.lost, 0, "overdue");
  peer.send(0, true);
  peer.now = 400;
  peer.ack(0, 0);
  assert.equal(flight.patience.srtt, 400);
});

test("where little is sent a segment is overdue by its own time, not by that of its parity", () => {
  for (const [ahead, overdue] of [
    [0, 0],
    [30, -1],
  ] as const) {
    const peer = new Peer();
    const { flight } = peer;
    peer.send(0);
    peer.now = 100;
    peer.ack(0, 0);
    flight.groups.rows = 1;
    const { timeout } = flight.patience;
    for (let sn = 1; sn <= 2 + ahead; sn++) peer.send(sn);
    peer.now += 40;
    flight.turn(peer.now);
    flight.groups.end(peer.now, 1);
    peer.now = 101 + timeout;
    flight.turn(peer.now);
    assert.equal(flight.lost, overdue < 0 ? -1 : 1, `${ahead} more in flight`);
  }
});

test("a window that grows in mid-flight loses nothing: order of sending, what is lost, samples", () => {
  const [small, large] = [new Peer(), new Peer()];
  const told = [small, large].map((peer, i) => {
    const { flight } = peer;
    for (let sn = 0; sn < 12; sn++, peer.now += 5) peer.send(sn);
    peer.now = 100;
    // Acknowledged, but its round is not finished when the window grows.
    flight.packet(peer.now);
    flight.settle(6);
    flight.heard(6, 30);
    if (i === 1) flight.resize(256, 12);
    flight.turn(peer.now);
    const lost: number[] = [];
    for (let sn = flight.lost; sn >= 0; sn = flight.lost) {
      lost.push(sn);
      peer.send(sn, true);
    }
    for (let sn = 12; sn < 60; sn++, peer.now += 1) peer.send(sn);
    peer.now += 100;
    for (const sn of [3, 20, 59]) peer.ack(sn, sn === 3 ? 100 : 100 + sn - 12);
    if (i === 1) flight.resize(64, 60);
    flight.turn(peer.now);
    return { lost, next: flight.lost, inFlight: flight.inFlight, stats: { ...flight.stats }, rounds: peer.controller.rounds };
  });
  assert.deepEqual(told[0]!.lost, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(told[1], told[0]);
});

/** Messages 20 ms apart over 200 ms, of which two runs of three were lost: answers the peer when the second becomes overdue, and what is then resent. */
function secondRun(rows: number): { peer: Peer; again: number[] } {
  const peer = new Peer();
  const { flight } = peer;
  flight.groups.rows = rows;
  for (let sn = 0; sn < 35; sn++) {
    peer.now = 20 * sn;
    peer.send(sn);
    if (sn % 5 === 4) flight.groups.end(peer.now, rows);
    const came = sn - 10;
    if (came < 0 || (came >= 2 && came <= 4) || came >= 23) continue;
    peer.ack(came, 20 * came);
    const { now } = peer;
    for (let gone = flight.lost; gone >= 0; gone = flight.lost) peer.send(gone, true);
    if (came === 15) for (const late of [2, 3, 4]) peer.ack(late, now - 200);
  }
  const again: number[] = [];
  peer.now = flight.deadline();
  flight.turn(peer.now);
  for (let sn = flight.lost; sn >= 0; sn = flight.lost) {
    again.push(sn);
    peer.send(sn, true);
  }
  return { peer, again };
}

test("where loss comes in runs and little is sent, what left behind a segment that is overdue is resent with it", () => {
  const { peer, again } = secondRun(0);
  assert.deepEqual(again, [23, 24]);
  assert.equal(peer.flight.stats.needless, 0);
  // The second was not lost: that is no sign of acknowledgements that take longer, and nothing was lost after all.
  const { gone } = peer.flight.stats;
  const { timeout } = peer.flight.patience;
  peer.now += 15;
  peer.ack(24, 480);
  assert.equal(peer.flight.stats.needless, 1);
  assert.equal(peer.flight.stats.gone, gone - 1);
  assert.ok(peer.flight.patience.timeout <= timeout + 1, `${timeout} → ${peer.flight.patience.timeout} ms`);
});

test("what was given up and then replaced by parity was lost nevertheless", () => {
  const { peer } = secondRun(1);
  const { gone } = peer.flight.stats;
  const { timeout } = peer.flight.patience;
  peer.now += 15;
  peer.ack(23, 460);
  assert.equal(peer.flight.stats.needless, 1);
  assert.equal(peer.flight.stats.gone, gone, "it counts as lost for the parity that is planned");
  assert.ok(peer.flight.patience.timeout <= timeout + 1);
});
