/** Opening, data and ends of streams, in both versions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { NOTHING, SmuxSession } from "./session.ts";
import { End, frame, pair, type Version } from "./testing/end.ts";

for (const version of [1, 2] satisfies Version[]) {
  test(`v${version}: a stream echoes, in pieces of any size`, () => {
    for (const piece of [1, 3, 8, 11, 1000]) {
      const { client, server } = pair(version);
      const sid = client.smux.open(0);
      assert.equal(sid, 3);
      server.receive(Buffer.concat([client.control(), client.push(sid, "hello"), client.push(sid, "world")]), piece);
      assert.deepEqual(server.log, ["opened 3", "data 3 helloworld"]);
      client.receive(server.push(sid, "echo"), piece);
      assert.deepEqual(client.log, ["data 3 echo"]);
    }
  });

  test(`v${version}: frames of many streams interleave; sids are 3, 5, 7…`, () => {
    const { client, server } = pair(version);
    const sids = Array.from({ length: 100 }, () => client.smux.open(0));
    assert.deepEqual(sids.slice(0, 3), [3, 5, 7]);
    server.receive(client.control());
    for (const sid of sids) server.receive(client.push(sid, `to ${sid}`));
    assert.equal(server.smux.streams, 100);
    assert.deepEqual(server.log.slice(0, 2), ["opened 3", "opened 5"]);
    assert.deepEqual(server.log.slice(100, 102), ["data 3 to 3", "data 5 to 5"]);
    for (const sid of sids) client.receive(server.push(sid, `from ${sid}`));
    assert.equal(client.log[99], "data 201 from 201");
  });

  test(`v${version}: a server opens even sids`, () => {
    const { client, server } = pair(version);
    assert.deepEqual([server.smux.open(0), server.smux.open(0)], [2, 4]);
    client.receive(Buffer.concat([server.control(), server.push(4, "hi")]));
    assert.deepEqual(client.log, ["opened 2", "opened 4", "data 4 hi"]);
  });

  test(`v${version}: a close opens the way for the next stream; both ends forget`, () => {
    const { client, server } = pair(version);
    for (let i = 0; i < 50; i++) {
      const sid = client.smux.open(0);
      server.receive(Buffer.concat([client.control(), client.push(sid, "x")]));
      client.smux.finish(0, sid);
      server.receive(client.control());
      assert.deepEqual(server.log.slice(-3), [`opened ${sid}`, `data ${sid} x`, `finished ${sid}`]);
      server.smux.finish(0, sid);
      client.receive(server.control());
      assert.equal(client.log.at(-1), `finished ${sid}`);
      assert.deepEqual([client.smux.streams, server.smux.streams], [0, 0]);
    }
    assert.deepEqual([client.smux.stats.closed, server.smux.stats.closed], [50, 50]);
  });

  test(`v${version}: a FIN ends one direction only`, () => {
    const { client, server } = pair(version);
    const sid = client.smux.open(0);
    server.receive(Buffer.concat([client.control(), client.push(sid, "request")]));
    client.smux.finish(0, sid);
    server.receive(client.control());
    assert.equal(client.smux.allowance(sid), 0);
    client.receive(Buffer.concat([server.push(sid, "reply"), server.push(sid, " goes on")]));
    server.smux.finish(0, sid);
    client.receive(server.control());
    assert.deepEqual(server.log, ["opened 3", "data 3 request", "finished 3"]);
    assert.deepEqual(client.log, ["data 3 reply goes on", "finished 3"]);
    // The window update that was due is not worth telling any more.
    assert.equal(client.control().length, 0);
    assert.deepEqual([client.smux.streams, server.smux.streams], [0, 0]);
  });

  test(`v${version}: both may end at once, and twice`, () => {
    const { client, server } = pair(version);
    const sid = client.smux.open(0);
    server.receive(client.control());
    client.smux.finish(0, sid);
    client.smux.finish(0, sid);
    server.smux.finish(0, sid);
    const [toServer, toClient] = [client.control(), server.control()];
    assert.deepEqual([toServer.length, toClient.length], [8, 8]);
    client.receive(toClient);
    server.receive(toServer);
    client.smux.finish(0, sid);
    client.smux.forget(0, sid);
    assert.equal(client.control().length, 0);
    assert.deepEqual([client.log, server.log], [["finished 3"], ["opened 3", "finished 3"]]);
    assert.deepEqual([client.smux.streams, server.smux.streams], [0, 0]);
  });

  test(`v${version}: what came before a FIN can be consumed behind it`, () => {
    const { client, server } = pair(version, { receiveBytes: 100 });
    server.reads = false;
    const sid = client.smux.open(0);
    server.receive(Buffer.concat([client.control(), client.push(sid, "x".repeat(100))]));
    client.smux.finish(0, sid);
    server.receive(client.control());
    server.smux.finish(0, sid);
    server.control();
    assert.equal(server.smux.streams, 1);
    assert.equal(server.smux.receivePaused, true);
    server.smux.consumed(0, sid, 100);
    assert.deepEqual([server.smux.streams, server.smux.receivePaused], [0, false]);
    assert.equal(server.control().length, 0);
  });

  test(`v${version}: a forgotten stream sends FIN once, gives back what it held, and discards what comes`, () => {
    const { client, server } = pair(version, { receiveBytes: 100 });
    server.reads = false;
    const sid = client.smux.open(0);
    server.receive(Buffer.concat([client.control(), client.push(sid, "x".repeat(100))]));
    server.smux.forget(0, sid);
    assert.equal(server.smux.receivePaused, false);
    assert.deepEqual(server.control(), Buffer.from(frame(version, 1, sid)));
    server.smux.consumed(0, sid, 100);
    server.receive(Buffer.concat([client.push(sid, "y".repeat(500)), frame(version, 1, sid)]));
    assert.equal(server.smux.receivePaused, false);
    assert.equal(server.smux.stats.discardedBytes, 500);
    assert.deepEqual(server.log, ["opened 3", `data 3 ${"x".repeat(100)}`]);
    assert.equal(server.smux.streams, 0);
  });

  test(`v${version}: a stream forgotten in the middle of a frame discards the rest of it`, () => {
    const { client, server } = pair(version);
    const sid = client.smux.open(0);
    const bytes = Buffer.concat([client.control(), client.push(sid, "abcdef"), frame(version, 0, 5)]);
    server.receive(bytes.subarray(0, 8 + 8 + 2));
    server.smux.forget(0, sid);
    server.control();
    server.receive(bytes.subarray(8 + 8 + 2));
    assert.deepEqual(server.log, ["opened 3", "data 3 ab", "opened 5"]);
    assert.equal(server.smux.stats.discardedBytes, 4);
  });

  test(`v${version}: a stream forgotten before its SYN left is never heard of`, () => {
    const { client } = pair(version);
    const sid = client.smux.open(0);
    client.smux.forget(0, sid);
    assert.equal(client.control().length, 0);
    assert.equal(client.smux.streams, 0);
  });

  test(`v${version}: SYN, then FIN, of a stream that ends without data`, () => {
    const { client, server } = pair(version);
    client.smux.finish(0, client.smux.open(0));
    server.receive(client.control());
    assert.deepEqual(server.log, ["opened 3", "finished 3"]);
  });
}

test("nothing may be pushed before the SYN, after the end, or beyond the allowance", () => {
  const { client } = pair(2, { frameBytes: 10 });
  const sid = client.smux.open(0);
  assert.equal(client.smux.allowance(sid), 0);
  assert.throws(() => client.push(sid, "x"), /push beyond the allowance/);
  client.control();
  assert.equal(client.smux.allowance(sid), 10);
  assert.throws(() => client.push(sid, "x".repeat(11)), /push beyond the allowance/);
  assert.throws(() => client.push(sid, ""), /push beyond the allowance/);
  client.smux.finish(0, sid);
  assert.throws(() => client.push(sid, "x"), /push beyond the allowance/);
  assert.equal(client.smux.allowance(99), 0);
});

test("the largest frame goes through, in pieces", () => {
  const { client, server } = pair(2, { frameBytes: 65_535 });
  const sid = client.smux.open(0);
  const text = "0123456789abcde".repeat(4369);
  server.receive(Buffer.concat([client.control(), client.push(sid, text)]), 1298);
  assert.equal(server.log[1], `data 3 ${text}`);
});

test("control frames leave whole, in the room there is, and in bounded calls", () => {
  const { client, server } = pair(2, { streamsMax: 1000 });
  for (let i = 0; i < 1000; i++) client.smux.open(0);
  const into = new Uint8Array(2000);
  const view = new DataView(into.buffer);
  assert.equal(client.smux.transmit(0, into, view, 0, 7), 0);
  assert.equal(client.smux.transmit(0, into, view, 3, 3 + 15), 8);
  assert.equal(client.smux.transmit(0, into, view, 0, 2000), 1024);
  server.receive(client.control());
  assert.equal(server.smux.streams, 1000 - 1 - 128);
});

test("streams are limited at both ends; a refused one is told so", () => {
  const { client, server } = pair(1, { streamsMax: 2 });
  assert.deepEqual([client.smux.open(0), client.smux.open(0), client.smux.open(0)], [3, 5, 0]);
  assert.equal(client.smux.stats.openRefused, 1);
  server.receive(Buffer.concat([frame(1, 0, 11), frame(1, 0, 13), frame(1, 0, 15), frame(1, 2, 15, [1, 2])]));
  assert.deepEqual(server.log, ["opened 11", "opened 13"]);
  assert.deepEqual(server.control(), Buffer.from(frame(1, 1, 15)));
  assert.deepEqual([server.smux.stats.synRefused, server.smux.stats.discardedBytes], [1, 2]);
});

test("refusals that cannot be sent are limited too", () => {
  const { server } = pair(1, { streamsMax: 1 });
  for (let sid = 3; sid < 3 + 2 * 1000; sid += 2) server.receive(frame(1, 0, sid));
  assert.equal(server.smux.stats.synRefused, 999);
  assert.equal(server.smux.stats.refusalsDropped, 999 - 256);
  assert.equal(server.control().length, 256 * 8);
});

test("a peer cannot open sids of our side", () => {
  const { client, server } = pair(1);
  client.receive(Buffer.concat([frame(1, 0, 3), frame(1, 0, 0)]));
  server.receive(frame(1, 0, 4));
  assert.deepEqual([client.smux.streams, server.smux.streams], [0, 0]);
  assert.deepEqual([client.smux.stats.synRefused, server.smux.stats.synRefused], [2, 1]);
});

test("SYN for a stream that exists changes nothing; frames for one that does not are counted", () => {
  const { server } = pair(2);
  server.receive(
    Buffer.concat([frame(2, 0, 3), frame(2, 0, 3), frame(2, 1, 9), frame(2, 4, 9, 8), frame(2, 2, 9, [1, 2, 3]), frame(2, 2, 3, [65])]),
  );
  assert.deepEqual(server.log, ["opened 3", "data 3 A"]);
  const { duplicateSyn, unknownSid, discardedBytes } = server.smux.stats;
  assert.deepEqual([duplicateSyn, unknownSid, discardedBytes], [1, 3, 3]);
});

test("data behind a FIN is discarded, a second FIN is not told", () => {
  const { server } = pair(1);
  server.receive(Buffer.concat([frame(1, 0, 3), frame(1, 1, 3), frame(1, 2, 3, [65]), frame(1, 1, 3)]));
  assert.deepEqual(server.log, ["opened 3", "finished 3"]);
  assert.equal(server.smux.stats.discardedBytes, 1);
});

test("an empty PSH is nothing", () => {
  const { server } = pair(1);
  server.receive(Buffer.concat([frame(1, 0, 3), frame(1, 2, 3), frame(1, 0, 5)]));
  assert.deepEqual(server.log, ["opened 3", "opened 5"]);
});

const fatal: readonly [name: string, version: Version, bytes: Uint8Array, code: string][] = [
  ["version 0", 1, frame(0, 3, 0), "smux.version"],
  ["version 2 in a session of version 1", 1, frame(2, 3, 0), "smux.version"],
  ["version 1 in a session of version 2", 2, frame(1, 3, 0), "smux.version"],
  ["an unknown command", 2, frame(2, 5, 0), "smux.command"],
  ["UPD in version 1", 1, frame(1, 4, 3, 8), "smux.command"],
  ["UPD of 7 bytes", 2, frame(2, 4, 3, 7), "smux.length"],
  ["UPD of 16 bytes", 2, frame(2, 4, 3, 16), "smux.length"],
  ["SYN with a body", 2, frame(2, 0, 3, 1), "smux.length"],
  ["FIN with a body", 2, frame(2, 1, 3, 1), "smux.length"],
  ["NOP with a body", 2, frame(2, 3, 0, 1), "smux.length"],
];
for (const [name, version, bytes, code] of fatal) {
  test(`${name} ends the session`, () => {
    for (const piece of [1, 100]) {
      const { server } = pair(version);
      server
        .receive(frame(version, 0, 3))
        .receive(bytes, piece)
        .receive(frame(version, 0, 5));
      assert.deepEqual(server.log, ["opened 3", `failed ${code}`]);
      assert.equal(server.smux.event, NOTHING);
      assert.equal(server.smux.failure?.scope, "session");
      assert.equal(server.smux.deadline(), Number.POSITIVE_INFINITY);
      assert.deepEqual([server.smux.open(0), server.smux.allowance(3), server.control().length], [0, 0, 0]);
    }
  });
}

test('a server of version "any" takes that of the first frame', () => {
  for (const version of [1, 2] satisfies Version[]) {
    const server = new End({ role: "server", version: "any" });
    server.advance(0).advance(10_000);
    assert.deepEqual([server.smux.version, server.control().length, server.smux.open(0)], [0, 0, 0]);
    server.receive(frame(version, 0, 3), 1);
    assert.equal(server.smux.version, version);
    assert.deepEqual(server.control(), Buffer.from(frame(version, 3, 0)));
    server.receive(frame(3 - version, 3, 0));
    assert.deepEqual(server.log, ["opened 3", "failed smux.version"]);
  }
  assert.deepEqual(new End({ role: "server", version: "any" }).receive(frame(0x47, 0x45, 0)).log, ["failed smux.version"]);
});

test("nothing is allocated per frame", () => {
  const client = new SmuxSession({ role: "client", version: 2 });
  const server = new SmuxSession({ role: "server", version: 2 });
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const sid = client.open(0);
  const exchange = (from: SmuxSession, to: SmuxSession, length: number): void => {
    for (let at = 0; at < length; ) {
      at += to.receive(0, bytes, at, length);
      if (to.event === 2) to.consumed(0, sid, to.dataEnd - to.dataStart);
    }
    const updates = to.transmit(0, bytes, view, 0, bytes.length);
    for (let at = 0; at < updates; ) at += from.receive(0, bytes, at, updates);
  };
  exchange(client, server, client.transmit(0, bytes, view, 0, bytes.length));
  const frames = 50_000;
  const round = (): number => {
    const before = getHeapStatistics().total_allocated_bytes;
    for (let i = 0; i < frames; i++) exchange(client, server, client.push(sid, view, 0, Math.min(1300, client.allowance(sid))));
    return (getHeapStatistics().total_allocated_bytes - before) / frames;
  };
  const each = Math.min(round(), round(), round(), round(), round());
  assert.equal(server.stats.bytesIn, 5 * frames * 1300);
  assert.ok(each < 32, `${each.toFixed(1)} bytes a frame`);
});
