import assert from "node:assert/strict";
import { test } from "node:test";
import { Pieces } from "../base/pieces.ts";
import { NEVER } from "../base/units.ts";
import { AckList } from "./ack-list.ts";
import { Kcp, SEND_BYTES_MAX } from "./kcp.ts";
import type { KcpOptions } from "./options.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { ACK, CMD, HEADER_BYTES, isKcp, PUSH, SN, WASK, WINS, writeHeader } from "./segment.ts";
import { SegmentStore } from "./segment-store.ts";
import { fast3, Pair, pattern } from "./testing/pair.ts";

/** Moves `bytes` from end 0 to end 1; answers what arrived. */
function carry(pair: Pair, bytes: Uint8Array, until = pair.now + 120_000): Uint8Array {
  const into = new Uint8Array(bytes.length);
  let sent = 0;
  let got = 0;
  pair.run(until, () => {
    while (sent < bytes.length && pair.ends[0].writable) sent += pair.send(0, bytes, sent, Math.min(sent + 16_384, bytes.length));
    got += pair.ends[1].read(pair.now, into, got, into.length);
    return got < into.length;
  });
  return into.subarray(0, got);
}

const settings: readonly [string, Partial<KcpOptions>][] = [
  ["fast3", {}],
  ["2021", { profile: "2021" }],
  ["normal with congestion control", { nodelay: 0, interval: 40, nc: 0 }],
  ["manual", { nodelay: 0, interval: 50, resend: 0, nc: 0, profile: "2021" }],
  ["small windows and packets", { mtu: 50, sndWnd: 4, rcvWnd: 3 }],
  ["a small window for a large sender", { sndWnd: 1024, rcvWnd: 2, ackNoDelay: true }],
];
for (const [name, options] of settings) {
  test(`bytes arrive in order while every fifth packet is lost: ${name}`, () => {
    const pair = new Pair(options);
    pair.drops = (_, i) => i % 5 === 2;
    const bytes = pattern(options.mtu === 50 ? 5000 : 100_000);
    assert.deepEqual(carry(pair, bytes), bytes);
  });
}

test("both profiles and both modes understand each other", () => {
  for (const [a, b] of [["2021", "2026"] as const, ["2026", "2021"] as const]) {
    const pair = new Pair({ profile: a, nodelay: 0, interval: 40 }, { profile: b });
    pair.drops = (_, i) => i % 7 === 3;
    assert.deepEqual(carry(pair, pattern(50_000)), pattern(50_000));
  }
});

test("sequence numbers and the clock wrap at 2^32 in the midst of loss", () => {
  const pair = new Pair({ firstSn: 2 ** 32 - 40 }, undefined, 2 ** 32 - 300);
  pair.drops = (_, i) => i % 5 === 2;
  const bytes = pattern(300_000);
  assert.deepEqual(carry(pair, bytes, 2 ** 32 + 60_000), bytes);
  assert.ok(pair.ends[0].stats.sndNxt < 1000 && pair.now > 2 ** 32);
  assert.ok(pair.ends[0].stats.srtt >= 50 && pair.ends[0].stats.srtt < 200, `srtt ${pair.ends[0].stats.srtt}`);
});

test("send takes all or nothing, and says so in `writable`", () => {
  const { ends, now } = new Pair({ sndWnd: 2 });
  const block = new Uint8Array(SEND_BYTES_MAX);
  assert.equal(ends[0].send(now, block, 0, 1000), 1000);
  assert.equal(ends[0].waitSnd, 1);
  assert.equal(ends[0].send(now, block, 0, SEND_BYTES_MAX), SEND_BYTES_MAX);
  assert.equal(ends[0].waitSnd, Math.ceil((SEND_BYTES_MAX + 1000) / ends[0].mss), "the last unsent segment is filled up");
  assert.equal(ends[0].writable, false);
  assert.equal(ends[0].send(now, block, 0, 1), 0);
  assert.equal(ends[0].stats.sendRefused, 1);
  assert.throws(() => ends[0].send(now, new Uint8Array(SEND_BYTES_MAX + 1), 0, SEND_BYTES_MAX + 1), /at most/);
});

test("the window grows while a flush stands in the midst of what it sends again", () => {
  const kcp = new Kcp({ ...fast3, sndWnd: 4096, firstSn: 10 });
  const packet = new Uint8Array(1500);
  const view = new DataView(packet.buffer);
  let now = 1000;
  const next = (): number => (kcp.transmit(now, packet, view, 0) > 0 ? view.getUint32(SN, true) : -1);
  const drain = (): number[] => {
    const sns: number[] = [];
    for (let sn = next(); sn >= 0; sn = next()) sns.push(sn);
    return sns;
  };
  const count = (n: number): number[] => Array.from({ length: n }, (_, k) => 10 + k);
  const block = new Uint8Array(SEND_BYTES_MAX);
  // The peer's window is 32 before it has spoken.
  kcp.send(now, block, 0, 12 * kcp.mss);
  assert.deepEqual(drain(), count(12));
  now += 1000;
  kcp.advance(now);
  const again = Array.from({ length: 8 }, next);
  // Room is made for what then does not come, so nothing else starts the walk again.
  kcp.reserve(now, 90 * kcp.mss, new Pieces(100));
  kcp.commit(0);
  assert.deepEqual([...again, ...drain()], count(12), "each once");
  kcp.send(now, block, 0, 90 * kcp.mss);
  assert.deepEqual(drain(), count(32).slice(12));
  assert.equal(kcp.stats.lostSegs, 12);
});

test("a session at rest holds no memory of what it has sent, and goes on from there", () => {
  const pair = new Pair();
  assert.deepEqual(carry(pair, pattern(200_000)), pattern(200_000));
  pair.run(pair.now + 1000, () => true);
  const before = pair.ends[0].bytesHeld;
  pair.ends[0].rest();
  assert.ok(before - pair.ends[0].bytesHeld > 32 * pair.ends[0].mss, `${before} → ${pair.ends[0].bytesHeld}`);
  assert.deepEqual(carry(pair, pattern(200_000)), pattern(200_000));
});

test("profile 2021 also waits for the peer's window, which is 32 before it has spoken", () => {
  const { ends, now } = new Pair({ profile: "2021" });
  assert.equal(ends[0].send(now, new Uint8Array(SEND_BYTES_MAX), 0, 32 * ends[0].mss), 32 * ends[0].mss);
  assert.equal(ends[0].writable, false);
});

test("a core without work has no deadline, and wakes in its old phase", () => {
  const pair = new Pair({ interval: 40, nodelay: 0 });
  assert.equal(pair.ends[0].deadline(), NEVER);
  pair.ends[1].advance(pair.now);
  assert.equal(pair.ends[1].deadline(), NEVER);
  pair.now += 1007;
  pair.send(0, pattern(10));
  pair.now += 25;
  pair.turn();
  assert.equal(pair.ends[1].deadline(), 1000 + 26 * 40, "the ACK waits for the timer");
  assert.equal(pair.ends[1].read(pair.now, new Uint8Array(10), 0, 10), 10);
  pair.run(NEVER);
  assert.equal(pair.next(), NEVER);
  assert.equal(pair.ends[0].waitSnd, 0);
});

test("advance is harmless before its time", () => {
  const pair = new Pair({ nodelay: 0, interval: 40 });
  pair.send(0, pattern(10));
  const { outPkts } = pair.ends[0].stats;
  pair.drops = () => true;
  for (let t = 0; t < 100; t++) {
    pair.ends[0].advance(pair.now + t / 10);
    pair.drain(0);
  }
  assert.equal(pair.ends[0].stats.outPkts, outPkts);
});

/** Commands of the packets end `from` sends while `run` runs. */
function commands(pair: Pair, from: 0 | 1, run: () => void): { cmd: number; at: number }[] {
  const seen: { cmd: number; at: number }[] = [];
  const before = pair.drops;
  pair.drops = (end, i, bytes, start, stop) => {
    if (end === from) seen.push({ cmd: bytes[start + CMD]!, at: pair.now });
    return before(end, i, bytes, start, stop);
  };
  run();
  pair.drops = before;
  return seen;
}

for (const [profile, first] of [["2021", 7000] as const, ["2026", 500] as const]) {
  test(`a closed window is probed after ${first} ms, then 1.5 times later (${profile})`, () => {
    const pair = new Pair({ profile, rcvWnd: 2, sndWnd: 8, interval: 10, ackNoDelay: true });
    pair.send(0, pattern(20_000));
    pair.run(pair.now + 100);
    assert.equal(pair.ends[0].stats.rmtWnd, 0, "two segments fill the peer's window");
    const closed = pair.now;
    const probes = commands(pair, 0, () => pair.run(pair.now + first * 6)).filter(({ cmd }) => cmd === WASK);
    assert.equal(probes.length, 3);
    assert.ok(Math.abs(probes[0]!.at - closed - first) < 120, `first after ${probes[0]!.at - closed}`);
    assert.ok(Math.abs(probes[1]!.at - probes[0]!.at - 1.5 * first) < 50);
    assert.ok(Math.abs(probes[2]!.at - probes[1]!.at - 2.25 * first) < 50);
  });
}

test("reading a full window announces it, and the sender goes on; probing answers when the announcement is lost", () => {
  for (const lost of [false, true]) {
    const pair = new Pair({ rcvWnd: 2, sndWnd: 8, ackNoDelay: true });
    const bytes = pattern(20_000);
    pair.send(0, bytes);
    pair.run(pair.now + 100);
    pair.drops = (from) => lost && from === 1;
    const into = new Uint8Array(20_000);
    let got = 0;
    const told = commands(pair, 1, () => {
      // Behind the two unread segments two more waited; the window opens when those are read too.
      for (let n = 1; n > 0; got += n) n = pair.ends[1].read(pair.now, into, got, into.length);
      pair.run(pair.now + 50);
    });
    assert.ok(told.some(({ cmd }) => cmd === WINS));
    assert.equal(pair.ends[0].stats.rmtWnd, lost ? 0 : 2);
    pair.drops = () => false;
    pair.run(pair.now + 60_000, () => {
      got += pair.ends[1].read(pair.now, into, got, into.length);
      return got < into.length;
    });
    assert.deepEqual(into, bytes);
  }
});

test("reading in small bites", () => {
  const pair = new Pair();
  const bytes = pattern(5000);
  pair.send(0, bytes);
  pair.run(pair.now + 200);
  assert.equal(pair.ends[1].readable, 5000);
  const into = new Uint8Array(5000);
  let got = 0;
  for (let n = 1; n > 0; got += n) n = pair.ends[1].read(pair.now, into, got, Math.min(got + 777, 5000));
  assert.deepEqual(into, bytes);
  assert.equal(pair.ends[1].readable, 0);
});

test("a restarted server: what the old client acknowledges is not believed, and nothing is delivered out of its gap", () => {
  const pair = new Pair();
  carry(pair, pattern(50_000));
  const restarted = new Kcp(fast3);
  const bytes = new Uint8Array(1500);
  const view = new DataView(bytes.buffer);
  restarted.send(pair.now, pattern(100), 0, 100);
  // The client speaks of segments this server never sent (its una) and of its own far numbers.
  view.setUint32(0, fast3.conv, true);
  bytes[CMD] = PUSH;
  view.setUint16(6, 1024, true);
  view.setUint32(SN, 36, true);
  view.setUint32(16, 500, true);
  view.setUint32(20, 10, true);
  assert.equal(restarted.receive(pair.now, bytes, view, 0, HEADER_BYTES + 10, true), true);
  assert.equal(restarted.stats.unaErrs, 1);
  assert.equal(restarted.waitSnd, 1, "its own segment is still to be delivered");
  assert.equal(restarted.readable, 0);
});

test("an interrupted flush: nothing is lost, nothing goes out twice, ACKs go first", () => {
  const pair = new Pair({ mtu: 200 });
  const [a, b] = pair.ends;
  const bytes = pattern(5000);
  const into = new Uint8Array(200);
  const view = new DataView(into.buffer);
  b.send(pair.now, bytes, 0, 100);
  a.send(pair.now, bytes, 0, 5000);
  const seen = new Set<number>();
  const collect = (): number => {
    const length = a.transmit(pair.now, into, view, 0);
    if (length > 0 && into[CMD] === PUSH) {
      const sn = view.getUint32(SN, true);
      assert.ok(!seen.has(sn), `sn ${sn} went out twice`);
      seen.add(sn);
      b.receive(pair.now, into, view, 0, length, true);
    }
    return length;
  };
  for (let i = 0; i < 5; i++) collect();
  // While the socket was full a packet came in and the application wrote more.
  const other = new Uint8Array(200);
  const length = b.transmit(pair.now, other, new DataView(other.buffer), 0);
  a.receive(pair.now, other, new DataView(other.buffer), 0, length, true);
  a.advance(pair.now + 10);
  pair.now += 10;
  assert.ok(a.transmit(pair.now, into, view, 0) > 0);
  assert.notEqual(into[CMD], PUSH, "the ACK did not wait behind the data");
  while (collect() > 0);
  assert.equal(seen.size, Math.ceil(5000 / 176));
});

test("packets rebuilt by FEC tell nothing of round trip and window", () => {
  const pair = new Pair();
  const [a, b] = pair.ends;
  pair.drops = () => true;
  pair.send(0, pattern(10));
  const bytes = new Uint8Array(1500);
  const view = new DataView(bytes.buffer);
  b.send(pair.now, pattern(10), 0, 10);
  const length = b.transmit(pair.now, bytes, view, 0);
  view.setUint8(CMD, 82);
  view.setUint32(20, 0, true);
  view.setUint16(6, 5, true);
  assert.ok(length > 0);
  a.receive(pair.now + 300, bytes, view, 0, HEADER_BYTES, false);
  assert.deepEqual([a.stats.latestRtt, a.stats.rmtWnd], [-1, 32]);
  a.receive(pair.now + 300, bytes, view, 0, HEADER_BYTES, true);
  assert.deepEqual([a.stats.latestRtt, a.stats.rmtWnd], [300, 5]);
});

test("whole segments of one conversation are KCP; a header before other bytes is not", () => {
  const view = new DataView(new ArrayBuffer(200));
  writeHeader(view, 0, 7, ACK, 32, 1, 2, 3, 0);
  writeHeader(view, 24, 7, PUSH, 32, 1, 2, 3, 10);
  assert.ok(isKcp(view, 0, 58));
  assert.equal(isKcp(view, 0, 57), false, "cut short");
  assert.equal(isKcp(view, 0, 62), false, "bytes behind");
  assert.equal(isKcp(view, 0, 0), false);
  view.setUint32(24, 8, true);
  assert.equal(isKcp(view, 0, 58), false, "two conversations");
});

test("over sparse traffic a segment that FEC rebuilds a minute later neither is acknowledged again nor makes the RTO a minute", () => {
  const options: KcpOptions = { conv: 1, mtu: 1400, sndWnd: 32, rcvWnd: 32, nodelay: 0, interval: 30, resend: 2, nc: 1, profile: "2021" };
  const [ours, theirs] = [new Kcp(options), new Kcp(options)];
  const packet = new Uint8Array(1400);
  const view = new DataView(packet.buffer);
  ours.send(0, Uint8Array.of(1), 0, 1);
  const length = ours.transmit(0, packet, view, 0);
  const first = packet.slice(0, length);
  const firstView = new DataView(first.buffer);
  theirs.receive(20, first, firstView, 0, length, true);
  theirs.read(20, new Uint8Array(10), 0, 10);
  theirs.advance(50);
  const answer = theirs.transmit(50, packet, view, 0);
  ours.receive(70, packet, view, 0, answer, true);
  const { rto } = ours.stats;
  assert.ok(rto < 300 && ours.waitSnd === 0);
  // Rebuilt: no ACK of ours.
  theirs.receive(60_000, first, firstView, 0, length, false);
  theirs.advance(60_050);
  assert.equal(theirs.transmit(60_050, packet, view, 0), 0);
  // A kcptun acknowledges it with the time stamp of then.
  writeHeader(view, 0, 1, ACK, 32, 0, 0, 1, 0);
  ours.receive(60_070, packet, view, 0, HEADER_BYTES, true);
  assert.equal(ours.stats.rto, rto);
});

test("received segments: the ring grows and wraps near 2^32, sessions share a store, all goes back at rest and at the end", () => {
  const store = new SegmentStore();
  const windows = [new ReceiveWindow(512, store, 0xffffff00), new ReceiveWindow(512, store, 0xffffff00)] as const;
  const [one, other] = windows;
  const bytes = pattern(1000);
  const into = new Uint8Array(600_000);
  for (let k = 511; k >= 0; k--) {
    assert.equal(one.put((0xffffff00 + k) >>> 0, bytes, k, k + 100), "stored");
    assert.equal(one.put((0xffffff00 + k) >>> 0, bytes, k, k + 100), "repeat");
    if (k % 2 === 1) other.put((0xffffff00 + k) >>> 0, bytes, k, k + 1);
  }
  assert.equal(one.put(0xffffff00 + 1024 - 2 ** 32, bytes, 0, 1), "outside");
  assert.deepEqual([one.readable, one.unused, store.out], [51_200, 0, 768]);
  // A second window's worth behind the unread one, as far as twice the window.
  assert.equal(one.put(0xffffff00 + 600 - 2 ** 32, bytes, 0, 1), "stored");
  assert.equal(one.read(into, 0, into.length), 51_200);
  for (let k = 0; k < 512; k++) assert.deepEqual(into.subarray(k * 100, k * 100 + 100), bytes.subarray(k, k + 100));
  assert.equal(store.out, 257);
  other.release();
  assert.equal(store.out, 1);
  for (let k = 512; k < 600; k++) one.put((0xffffff00 + k) >>> 0, bytes, 0, 1);
  assert.equal(one.read(into, 0, into.length), 89);
  assert.equal(store.out, 0);
  one.rest();
  assert.equal(one.put((0xffffff00 + 601) >>> 0, bytes, 5, 10), "stored");
  assert.equal(one.read(into, 0, into.length), 5);
  store.trim();
  store.trim();
  assert.equal(store.bytesHeld, 0);
});

test("the list of ACKs grows to its bound and keeps order; beyond it the oldest is pushed out", () => {
  const list = new AckList(300);
  for (let i = 0; i < 10; i++) list.push(i, 0);
  for (let i = 0; i < 7; i++) list.shift();
  for (let i = 10; i < 600; i++) list.push(i, i * 2);
  assert.deepEqual([list.capacity, list.length, list.overflows], [512, 512, 81]);
  for (let i = 88; i < 600; i++, list.shift()) assert.deepEqual([list.sn, list.ts], [i, i * 2]);
  list.rest();
  list.push(7, 8);
  assert.deepEqual([list.length, list.sn, list.ts], [1, 7, 8]);
});
