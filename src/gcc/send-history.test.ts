import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { LOST, NOT_A_PROBE, type SentPacket } from "./packet-result.ts";
import { SendHistory } from "./send-history.ts";

const packet = (sequence: number, sendTime: number, size = 100): SentPacket => ({
  sequence,
  sendTime,
  size,
  probeCluster: NOT_A_PROBE,
  audio: false,
  retransmission: false,
});

test("bytes are in flight until a feedback told of the packet or of a later one", () => {
  const history = new SendHistory();
  for (let s = 40_000; s < 40_005; s++) history.add(packet(s, s));
  assert.equal(history.inFlight, 500);
  history.acknowledge(40_002);
  assert.equal(history.inFlight, 200);
  history.acknowledge(40_001);
  assert.equal(history.inFlight, 200);
  history.acknowledge(90_000);
  assert.equal(history.inFlight, 0);
  history.add(packet(40_010, 50_000));
  assert.equal(history.inFlight, 100, "what was not sent cannot be acknowledged ahead");
});

test("what arrived is forgotten, what was lost may arrive after all", () => {
  const history = new SendHistory();
  const sent: SentPacket = { ...packet(7, 1000, 1200), probeCluster: 3, audio: true, retransmission: true };
  history.add(sent);
  const into = packet(0, 0);
  history.tell(7, LOST);
  assert.equal(history.take(7, into), LOST);
  assert.deepEqual(into, sent);
  assert.equal(history.has(7), true);
  assert.equal(history.reportedLost(7), true);
  assert.equal(history.told(7), false);
  history.tell(7, 5000);
  assert.equal(history.take(7, into), 5000);
  assert.equal(history.has(7), false);
});

test("packets grow too old after 60 s", () => {
  const history = new SendHistory();
  history.add(packet(0, 0));
  history.add(packet(1, 1_000_000));
  history.add(packet(2, 60_000_000));
  assert.equal(history.has(0), true);
  history.add(packet(3, 60_000_001));
  assert.equal(history.has(0), false);
  assert.equal(history.has(1), true);
  assert.equal(history.stats.expired, 1);
  assert.equal(history.inFlight, 300);
});

test("it holds packetsMax packets, and counts those it forgot for newer ones", () => {
  const history = new SendHistory({ packetsMax: 128 });
  for (let s = 0; s < 200; s++) history.add(packet(s, s));
  assert.equal(history.stats.overflowed, 72);
  assert.equal(history.has(71), false);
  assert.equal(history.has(72), true);
  assert.equal(history.inFlight, 12_800);
  history.add(packet(10_000, 300));
  assert.equal(history.inFlight, 100);
  assert.equal(history.has(9999), false);
});

test("numbers must ascend, gaps may be", () => {
  const history = new SendHistory();
  assert.equal(history.add(packet(5, 0)), true);
  assert.equal(history.add(packet(5, 1)), false);
  assert.equal(history.add(packet(4, 1)), false);
  assert.equal(history.stats.disordered, 2);
  assert.equal(history.add(packet(9, 2)), true);
  assert.equal(history.has(7), false);
  assert.equal(history.inFlight, 200);
});

test("untracked bytes are credited to the next packet", () => {
  const history = new SendHistory();
  history.addUntracked(300);
  history.addUntracked(40);
  history.add(packet(1, 0));
  history.add(packet(2, 0));
  assert.equal(history.priorUnacked(1), 340);
  assert.equal(history.priorUnacked(2), 0);
});

test("a new path forgets all", () => {
  const history = new SendHistory();
  for (let s = 0; s < 10; s++) history.add(packet(s, s));
  history.clear();
  assert.equal(history.inFlight, 0);
  assert.equal(history.has(9), false);
  history.add(packet(10, 10));
  assert.equal(history.has(10), true);
  assert.equal(history.inFlight, 100);
  history.acknowledge(10);
  assert.equal(history.inFlight, 0);
});

test("the bytes in flight are the sum over the packets that are, whatever happens", () => {
  const seed = 8080;
  const random = new Prng(seed);
  const history = new SendHistory({ packetsMax: 256, ageMax: 400_000 });
  const sizes = new Map<number, number>();
  const into = packet(0, 0);
  let now = 0;
  for (let i = 0; i < 20_000; i++) {
    now += random.below(3000);
    const sequence = history.newest + 1 + (random.chance(0.01) ? random.below(300) : 0);
    const size = 1 + random.below(1500);
    history.add(packet(sequence, now, size));
    sizes.set(sequence, size);
    if (random.chance(0.05)) history.acknowledge(history.newest - random.below(60) + 10);
    const some = history.newest - random.below(300);
    if (random.chance(0.2) && some <= history.acknowledged && history.has(some)) {
      history.tell(some, random.chance(0.8) ? now : LOST);
      history.take(some, into);
    }
    if (i % 101 !== 0) continue;
    let sum = 0;
    for (const [s, bytes] of sizes) {
      if (s < history.oldest) sizes.delete(s);
      else if (s > history.acknowledged) sum += bytes;
    }
    assert.equal(history.inFlight, sum, `seed ${seed}, step ${i}`);
  }
});
