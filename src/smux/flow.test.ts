/** Windows, the session's bucket, keepalive and death. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type End, frame, pair, update } from "./testing/end.ts";

const INITIAL_WINDOW = 262_144;

function fill(end: End, sid: number): number {
  let sent = 0;
  for (let n = end.smux.allowance(sid); n > 0; n = end.smux.allowance(sid)) {
    end.push(sid, new Uint8Array(n));
    sent += n;
  }
  return sent;
}

test("v1: a stream has no window of its own", () => {
  const { client } = pair(1, { frameBytes: 4096 });
  const sid = client.smux.open(0);
  client.control();
  for (let i = 0; i < 1000; i++) client.push(sid, new Uint8Array(client.smux.allowance(sid)));
  assert.equal(client.smux.stats.bytesOut, 4_096_000);
});

test("v2: the first window is 262,144 bytes; an UPD opens it again, for this stream only", () => {
  const { client } = pair(2);
  const [a, b] = [client.smux.open(0), client.smux.open(0)];
  client.control();
  assert.equal(fill(client, a), INITIAL_WINDOW);
  assert.equal(client.smux.allowance(b), 8192);
  client.receive(update(a, 100, INITIAL_WINDOW));
  assert.equal(client.smux.allowance(a), 100);
  client.receive(update(a, 100, INITIAL_WINDOW + 7));
  assert.equal(client.smux.allowance(a), 107);
  client.receive(update(a, INITIAL_WINDOW, 1_000_000));
  assert.equal(fill(client, a), 1_000_000);
});

test("v2: a window may shrink below what is under way, and to 0", () => {
  const { client } = pair(2);
  const sid = client.smux.open(0);
  client.control();
  fill(client, sid);
  client.receive(update(sid, 262_000, 100));
  assert.equal(client.smux.allowance(sid), 0);
  client.receive(update(sid, INITIAL_WINDOW, 0));
  assert.equal(client.smux.allowance(sid), 0);
  client.smux.finish(0, sid);
  assert.equal(client.control()[1], 1);
});

test("v2: a window of 2^31 and more is a large one", () => {
  const { client } = pair(2);
  const sid = client.smux.open(0);
  client.control();
  client.receive(update(sid, 0, 0xffffffff));
  assert.equal(client.smux.allowance(sid), 8192);
});

test("v2: more consumed than sent ends the session", () => {
  const { client } = pair(2);
  const sid = client.smux.open(0);
  client.control();
  client.push(sid, "abc");
  client.receive(update(sid, 3, 1000));
  assert.deepEqual(client.log, []);
  client.receive(update(sid, 4, 1000));
  assert.deepEqual(client.log, ["failed smux.consumed"]);
});

test("v2: the reader tells its window at its very first read and then each half streamBytes", () => {
  const { client, server } = pair(2, { streamBytes: 1000 });
  const sid = client.smux.open(0);
  server.receive(client.control());
  const told: number[] = [];
  for (let i = 1; i <= 200; i++) {
    server.receive(client.push(sid, "0123456789"));
    const frames = server.control();
    if (frames.length === 0) continue;
    assert.deepEqual(frames, Buffer.from(update(sid, 10 * i, 1000)));
    told.push(10 * i);
    client.receive(frames);
  }
  assert.deepEqual(told, [10, 510, 1010, 1510]);
});

test("v2: updates that wait are told as one, with what was consumed last", () => {
  const { client, server } = pair(2, { streamBytes: 100 });
  const sid = client.smux.open(0);
  server.receive(client.control());
  for (let i = 0; i < 10; i++) server.receive(client.push(sid, "x".repeat(60)));
  assert.deepEqual(server.control(), Buffer.from(update(sid, 600, 100)));
});

test("v2: nothing is told of a stream whose end has come, nor in v1", () => {
  const two = pair(2);
  two.server.reads = false;
  const sid = two.client.smux.open(0);
  two.server.receive(Buffer.concat([two.client.control(), two.client.push(sid, "abc"), frame(2, 1, sid)]));
  two.server.smux.consumed(0, sid, 3);
  assert.equal(two.server.control().length, 0);
  const one = pair(1);
  one.client.smux.open(0);
  one.server.receive(Buffer.concat([one.client.control(), one.client.push(sid, "abc")]));
  assert.equal(one.server.control().length, 0);
});

test("v2: positions wrap at 2^32", { timeout: 20_000 }, () => {
  const { client, server } = pair(2, { frameBytes: 65_535, streamBytes: 2_097_152 });
  const sid = client.smux.open(0);
  server.receive(client.control());
  const bytes = new Uint8Array(65_543);
  const view = new DataView(bytes.buffer);
  const into = new Uint8Array(64);
  const intoView = new DataView(into.buffer);
  const frames = Math.ceil((2 ** 32 + 10_000_000) / 65_535);
  for (let i = 0; i < frames; i++) {
    assert.equal(client.smux.allowance(sid), 65_535);
    const end = client.smux.push(sid, view, 0, 65_535);
    for (let at = 0; at < end; ) {
      at += server.smux.receive(0, bytes, at, end);
      if (server.smux.event === 2) server.smux.consumed(0, sid, server.smux.dataEnd - server.smux.dataStart);
    }
    const n = server.smux.transmit(0, into, intoView, 0, 64);
    for (let at = 0; at < n; ) at += client.smux.receive(0, into, at, n);
  }
  assert.equal(client.smux.failure, undefined);
  assert.ok(server.smux.stats.bytesIn > 2 ** 32);
});

test("a slow reader empties the bucket: the session pauses until it consumes", () => {
  const { client, server } = pair(1, { receiveBytes: 1000 });
  server.reads = false;
  const [a, b] = [client.smux.open(0), client.smux.open(0)];
  server.receive(Buffer.concat([client.control(), client.push(a, "x".repeat(600)), client.push(b, "y".repeat(399))]));
  assert.equal(server.smux.receivePaused, false);
  server.receive(client.push(a, "x".repeat(50)));
  assert.equal(server.smux.receivePaused, true);
  server.smux.consumed(0, b, 49);
  assert.equal(server.smux.receivePaused, true);
  server.smux.consumed(0, b, 1);
  assert.equal(server.smux.receivePaused, false);
  assert.equal(server.smux.stats.receivePauses, 1);
  assert.throws(() => server.smux.consumed(0, b, 400), /consumed more than was received/);
});

test("one NOP a period, from both ends; a period slept through brings one, not many", () => {
  const { client } = pair(2);
  assert.equal(client.smux.deadline(), 0);
  client.advance(500);
  assert.equal(client.smux.deadline(), 10_500);
  assert.equal(client.advance(10_499).control().length, 0);
  assert.deepEqual(client.advance(10_500).control(), Buffer.from(frame(2, 3, 0)));
  assert.equal(client.control().length, 0);
  client.receive(frame(2, 3, 0));
  assert.equal(client.advance(49_000).control().length, 8);
  assert.equal(client.smux.deadline(), 59_000);
  assert.deepEqual(client.log, []);
});

test("silence of a whole tick is death, seen after one to two ticks", () => {
  const { client } = pair(1);
  client.advance(0).advance(29_999);
  client.receive(frame(1, 3, 0));
  client.advance(30_000).advance(59_999);
  assert.deepEqual(client.log, []);
  client.advance(60_000);
  assert.deepEqual(client.log, ["failed smux.timeout"]);
  assert.equal(client.smux.failure?.code, "smux.timeout");
  client.advance(90_000);
  assert.equal(client.log.length, 1);
});

test("a peer that shows life is never taken for dead", () => {
  const { client, server } = pair(2);
  client.advance(0);
  server.advance(0);
  for (let now = 0; now < 600_000; now += 5000) {
    client.advance(now).receive(server.control());
    server.advance(now).receive(client.control());
  }
  assert.deepEqual([client.log, server.log], [[], []]);
});

test("no one dies of not being listened to", () => {
  const { client, server } = pair(1, { receiveBytes: 10 });
  server.reads = false;
  server.advance(0);
  const sid = client.smux.open(0);
  server.receive(Buffer.concat([client.control(), client.push(sid, "0123456789")]));
  server.advance(30_000).advance(60_000).advance(90_000);
  server.smux.consumed(0, sid, 10);
  server.advance(120_000);
  assert.deepEqual(server.log, ["opened 3", "data 3 0123456789"]);
  server.advance(150_000);
  assert.equal(server.log.at(-1), "failed smux.timeout");
});
