/** A configuration that changes under running sessions, in virtual time; each test fails when what it is about is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { clientConfig, serverConfig } from "../src/tunnel/config.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

const common = { crypt: "aes", datashard: 0, nocomp: "true" };
const serverSide = { ...common, listen: "10.0.0.2:3000", target: "10.0.0.2:2000" };
const clientSide = { ...common, localaddr: "10.0.0.1:1000", remoteaddr: "10.0.0.2:3000" };

/** A target that answers every connection with as many bytes. */
function world(client: object, server: object, log = new LogLines(), bytes = 1000): TunnelWorld {
  const answer = (socket: TcpSocket): TcpHandler => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: bytes });
    traffic.connected(0);
    return traffic;
  };
  return new TunnelWorld(
    { link: "delay=10", seed: 5, client: { ...clientSide, ...client }, server: { ...serverSide, ...server }, log },
    answer,
  );
}

function connect(of: TunnelWorld): Traffic {
  const all: Traffic[] = [];
  of.connect((socket) => {
    all.push(new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 100 }));
    return all[0]!;
  });
  return all[0]!;
}

const reloadServer = (of: TunnelWorld, config: object) =>
  of.server.reload(of.network.now, serverConfig.parse({ mode: "fast", ...serverSide, ...config }));
const reloadClient = (of: TunnelWorld, config: object) =>
  of.client.reload(of.network.now, clientConfig.parse({ mode: "fast", ...clientSide, ...config }));

test("a user that is removed ends, one that is added begins, limits hold at once, the others do not notice", () => {
  const [ann, bob] = [
    { name: "ann", key: "ann's" },
    { name: "bob", key: "bob's" },
  ];
  const of = world({ key: "ann's" }, { users: [ann] });
  const first = connect(of);
  of.run(1);
  const { users } = reloadServer(of, { users: [{ ...ann, streams: 1 }, bob] });
  assert.deepEqual(users, { added: ["bob"], removed: [], rekeyed: [], limits: ["ann"] });
  const second = connect(of);
  of.run(1);
  assert.deepEqual([first.received, first.broken, second.received], [1000, undefined, 0]);
  assert.deepEqual(reloadServer(of, { users: [bob] }).users?.removed, ["ann"]);
  of.run(1);
  assert.equal(of.server.report(0).length, 0);
  reloadClient(of, { key: "bob's" });
  const third = connect(of);
  of.run(3);
  assert.deepEqual([third.received, of.server.report(0)[0]?.user], [1000, "bob"]);
});

test("another key: sessions of the old one go on, new ones need the new one", () => {
  for (const users of [false, true]) {
    const keyed = (key: string): object =>
      users
        ? {
            users: [
              { name: "ann", key },
              { name: "bob", key: "bob's" },
            ],
          }
        : { key };
    const of = world({ key: "old" }, keyed("old"), undefined, 3_000_000);
    const running = connect(of);
    of.run(0.5);
    const { sessions } = reloadServer(of, keyed("new"));
    assert.deepEqual(sessions, users ? [] : ["key"]);
    assert.ok(
      of.run(30, () => running.received === 3_000_000),
      "the old session goes on",
    );
    assert.equal(running.wrong, 0);
    // The client drops its session and dials anew, still with the old key.
    reloadClient(of, { key: "old", mtu: 1200 });
    const refused = connect(of);
    of.run(3);
    assert.equal(refused.received, 0);
    reloadClient(of, { key: "new", mtu: 1200 });
    const accepted = connect(of);
    assert.ok(of.run(30, () => accepted.received === 3_000_000));
    assert.equal(running.broken, undefined);
  }
});

test("client: what both ends settled at the beginning changes with a new session, which the next connection gets at once", () => {
  const log = new LogLines();
  const of = world({}, {}, log);
  const running = connect(of);
  of.run(1);
  const changes = reloadClient(of, { mtu: 600, autoexpire: 1000 });
  assert.deepEqual(changes, { now: ["autoexpire"], sessions: ["mtu"], restart: [] });
  let longest = 0;
  const send = of.network.send.bind(of.network);
  of.network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    if (from === "10.0.0.1") longest = Math.max(longest, end - start);
    send(from, fromPort, to, toPort, bytes, start, end);
  };
  of.connect((socket) => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 50_000 }));
  of.run(1);
  assert.equal(of.client.report(0).length, 2);
  assert.equal(running.broken, undefined);
  assert.ok(longest > 500 && longest <= 600, `${longest} bytes`);
  assert.equal(log.count("the configuration has changed; new connections get a new one"), 1);
});

test("ratelimit, closewait and keepalive change for sessions that run", () => {
  const of = world({ keepalive: 30 }, { keepalive: 30 }, undefined, 5_000_000);
  const traffic = connect(of);
  of.run(0.5);
  reloadServer(of, { keepalive: 30, ratelimit: 100_000 });
  const before = traffic.received;
  of.run(5);
  const slow = traffic.received - before;
  assert.ok(slow > 200_000 && slow < 1_500_000, `${slow} bytes in 5 s`);
  reloadServer(of, { keepalive: 30 });
  assert.ok(of.run(60, () => traffic.received === 5_000_000));
  of.run(2);
  let datagrams = 0;
  const send = of.network.send.bind(of.network);
  of.network.send = (from, ...rest) => {
    if (from === "10.0.0.1") datagrams++;
    send(from, ...rest);
  };
  reloadClient(of, { keepalive: 1 });
  of.run(10);
  assert.ok(datagrams >= 8 && datagrams <= 14, `${datagrams} datagrams in 10 s`);
});

test("a listener that cannot be, and a target that is none, change nothing", () => {
  const of = world({}, {});
  assert.throws(() => reloadServer(of, { target: "nowhere:0", key: "other" }), /--target/);
  assert.throws(() => reloadClient(of, { remoteaddr: "x:y", key: "other" }), /--remoteaddr/);
  const traffic = connect(of);
  assert.ok(
    of.run(3, () => traffic.received === 1000),
    "the keys are the old ones",
  );
});
