/** How two ends find out whether they are both ours, in virtual time, and that a peer which is not does not notice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXTENSION } from "../src/extension/header.ts";
import type { TcpSocket } from "../src/host/loop.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

const known = "the peer is a Longhaul";
const unknown = "the server does not know extensions";

function world(
  link: string,
  client: Record<string, unknown>,
  server: Record<string, unknown>,
  log = new LogLines(),
  seed = 3,
): TunnelWorld {
  return new TunnelWorld({ link, seed, log, client: { datashard: 0, ...client }, server }, (socket: TcpSocket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 100_000 });
    traffic.connected(0);
    return traffic;
  });
}

function connect(of: TunnelWorld): Traffic {
  let traffic: Traffic | undefined;
  of.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 100_000 });
    return traffic;
  });
  return traffic!;
}

/** Datagrams of extensions that host A sends; with cipher "none" they are in clear behind 20 bytes. */
function countExtensions({ network }: TunnelWorld): { count: number } {
  const sent = { count: 0 };
  const send = network.send.bind(network);
  network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    if (from === "10.0.0.1" && bytes[start + 24] === EXTENSION) sent.count++;
    send(from, fromPort, to, toPort, bytes, start, end);
  };
  return sent;
}

for (const loss of ["", " loss=20%"]) {
  test(`two ends of ours know each other${loss}`, () => {
    const log = new LogLines();
    const of = world(`delay=100${loss}`, {}, {}, log);
    const sent = countExtensions(of);
    const traffic = connect(of);
    assert.ok(of.run(60, () => traffic.received === 100_000 && log.count(known) === 2));
    of.run(10);
    assert.equal(log.count(unknown), 0);
    assert.ok(sent.count <= 8, `${sent.count} HELLOs`);
  });
}

test("a server without extensions is asked a few times, and serves as if it had not been", () => {
  const finished = [true, false].map((extensions) => {
    const log = new LogLines();
    const of = world("delay=100 loss=5%", { extensions: String(extensions) }, { extensions: "false" }, log);
    const sent = countExtensions(of);
    const traffic = connect(of);
    assert.ok(of.run(60, () => traffic.received === 100_000));
    of.run(10);
    assert.equal(log.count(unknown), extensions ? 1 : 0);
    assert.equal(log.count(known), 0);
    assert.equal(traffic.wrong, 0);
    assert.ok(extensions ? sent.count >= 5 && sent.count <= 10 : sent.count === 0, `${sent.count} HELLOs`);
    assert.equal(of.server.report(0).length, 1);
    return traffic.finishedAt;
  });
  assert.ok(Math.abs(finished[0]! - finished[1]!) < 1500, `finished at ${finished}`);
});

test("a client without extensions says none, and a server of ours says none either", () => {
  const log = new LogLines();
  const of = world("delay=100", { extensions: "false" }, {}, log);
  const sent = countExtensions(of);
  const traffic = connect(of);
  assert.ok(of.run(60, () => traffic.received === 100_000));
  of.run(5);
  assert.deepEqual([sent.count, log.count(known), log.count(unknown)], [0, 0, 0]);
});
