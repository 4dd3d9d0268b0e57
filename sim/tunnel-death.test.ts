/** What a client does when its server knows it no more or is found late, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpSocket } from "../src/host/loop.ts";
import { LogLines, Traffic, TunnelWorld } from "./tunnel-world.ts";

/** Every connection sends `up` bytes and the target answers with `down` bytes. */
function world(log: LogLines, options: { down: number; client?: Record<string, unknown>; server?: Record<string, unknown> }): TunnelWorld {
  return new TunnelWorld({ link: "delay=50", seed: 4, log, ...options }, (socket: TcpSocket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: options.down });
    traffic.connected(0);
    return traffic;
  });
}

function connect(of: TunnelWorld, bytes: number): { readonly traffic: Traffic; readonly socket: () => TcpSocket } {
  let made: { traffic: Traffic; socket: () => TcpSocket } | undefined;
  of.connect((socket) => {
    made = { traffic: new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: bytes }), socket };
    return made.traffic;
  });
  return made!;
}

for (const [name, bytes] of [
  ["a young session", 10_000],
  ["a session beyond the first receive window", 3_000_000],
] as const) {
  test(`a server that was restarted is noticed within 2 s, ${name}`, () => {
    const log = new LogLines();
    const of = world(log, { down: 5000, client: { nocomp: "true", sndwnd: 2048 } });
    const first = connect(of, bytes);
    assert.ok(of.run(60, () => first.traffic.received === 5000 && of.client.report(0)[0]!.waitingSegments === 0));
    of.run(1);
    of.restartServer();
    of.run(0.1);
    first.socket().write(new Uint8Array(100), 0, 100);
    of.run(2.4);
    const second = connect(of, 1000);
    assert.ok(
      of.run(2, () => second.traffic.received === 5000),
      `no answer 2 s after the restart was to be noticed:\n${log.lines.join("\n")}`,
    );
    // The connection that was lost is ended as soon as that is certain.
    assert.ok(of.run(15, () => first.traffic.broken !== undefined || first.traffic.ended));
    of.run(45);
    assert.equal(of.server.report(of.network.now).length, 1, "the server forgets what it could not deliver");
  });
}

/**
 * Two words were said, so the first group of FEC is still open: were its parity sent behind the next word, with the packets that fill the group up, the new server
 * would put the first words together again and go on as if it knew the session.
 */
test("a kcptun server that was restarted is noticed though the session is so young that its first group of FEC is open", () => {
  for (const mode of ["auto", "fast3"]) {
    const log = new LogLines();
    const generation = { compat: "2021", smuxver: 1 };
    const of = world(log, { down: 5, client: { mode, ...generation }, server: { extensions: "false", mode: "fast3", ...generation } });
    const links = [of.links.ab, of.links.ba];
    for (const link of links) link.set("delay=1");
    const first = connect(of, 10);
    assert.ok(of.run(5, () => first.traffic.received === 5 && of.client.report(0)[0]!.waitingSegments === 0));
    of.run(0.03);
    of.restartServer();
    for (const link of links) link.set("down=1");
    first.socket().write(new Uint8Array(1), 0, 1);
    of.run(0.01);
    for (const link of links) link.set("down=0");
    assert.ok(
      of.run(6, () => first.traffic.broken !== undefined || first.traffic.ended),
      `${mode}: the old connection goes on:\n${log.lines.join("\n")}`,
    );
    const second = connect(of, 10);
    assert.ok(of.run(3, () => second.traffic.received === 5));
  }
});

test("an outage kills nothing: the silent session goes on, and ends only with its connections", () => {
  const log = new LogLines();
  const of = world(log, { down: 1000 });
  const first = connect(of, 1000);
  of.run(1, () => first.traffic.received === 1000);
  of.run(1);
  [of.links.ab, of.links.ba].forEach((link) => void link.set("down=1"));
  first.socket().write(new Uint8Array(100), 0, 100);
  of.run(3);
  const second = connect(of, 1000);
  of.run(2);
  assert.equal(log.count("session is silent; new connections get a new one"), 1);
  assert.equal(of.client.report(of.network.now).length, 2);
  [of.links.ab, of.links.ba].forEach((link) => void link.set("down=0"));
  assert.ok(of.run(20, () => second.traffic.received === 1000));
  of.run(15);
  assert.deepEqual([first.traffic.broken, first.traffic.ended], [undefined, false]);
});

test("a server that is found late gets what waited for it, on the same session", () => {
  const log = new LogLines();
  const of = world(log, { down: 1000 });
  [of.links.ab, of.links.ba].forEach((link) => void link.set("down=1"));
  const first = connect(of, 1000);
  of.run(9);
  assert.ok(log.count("no answer: nothing listens there") >= 2 && log.count("no answer: nothing listens there") <= 3, log.lines.join("\n"));
  [of.links.ab, of.links.ba].forEach((link) => void link.set("down=0"));
  assert.ok(of.run(10, () => first.traffic.received === 1000));
});
