/** Reverse forwarding: the server listens where its configuration allows, for clients that ask, and what comes in comes out at their end; in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { LogLines, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";

const [near, far] = ["10.0.0.1", "10.0.0.2"];
const question = { sessionsMax: 9, streamsMax: 9 };

/** Says its name, repeats what it hears, and writes it down. */
class Talker implements TcpHandler {
  heard = "";
  broken: string | undefined;
  readonly #socket: () => TcpSocket;
  readonly #name: string;
  constructor(socket: () => TcpSocket, name: string) {
    this.#socket = socket;
    this.#name = name;
  }
  connected(): void {
    this.#socket().write(new TextEncoder().encode(this.#name), 0, this.#name.length);
  }
  readable(): void {
    const buffer = new Uint8Array(2000);
    for (let n = this.#socket().read(buffer, 0, 2000); n > 0; n = this.#socket().read(buffer, 0, 2000))
      this.heard += Buffer.from(buffer.subarray(0, n)).toString("latin1");
  }
  writable(): void {}
  closed(_now: number, code: string): void {
    this.broken = code;
  }
}

function world(options: Partial<TunnelWorldOptions>, log = new LogLines()): { of: TunnelWorld; heard: Talker[] } {
  const { client, server, ...rest } = options;
  const heard: Talker[] = [];
  const of = new TunnelWorld(
    {
      link: "delay=50",
      seed: 11,
      log,
      client: { localaddr: "", reverse: [`web=${near}:80`, `dns=udp:${near}:53`], ...client },
      server: { reverse: [`web=${far}:8080`, `dns=udp:${far}:5353`], ...server },
      ...rest,
    },
    () => new Talker(() => assert.fail(), ""),
  );
  of.network.host(near).listen({ host: near, port: 80 }, (socket) => {
    const talker = new Talker(() => socket, "answer");
    talker.connected();
    heard.push(talker);
    return talker;
  });
  return { of, heard };
}

/** A program beside the server connects to it. */
function connect(of: TunnelWorld, port = 8080): Talker {
  let socket: TcpSocket | undefined;
  const talker = new Talker(() => socket!, "question");
  socket = of.network.host(far).connect({ host: far, port }, talker);
  return talker;
}

for (const link of ["delay=50", "delay=50 loss=20%"]) {
  test(`reverse: connections and datagrams at the server come out at the client (${link})`, () => {
    const { of, heard } = world({ link });
    assert.ok(
      of.run(30, () => of.server.listeners === 2),
      "the client asks by itself",
    );
    const all = [connect(of), connect(of)];
    new UdpEcho(of.network.host(near), 53);
    const application = new UdpApplication(of.network.host(far), { host: far, port: 5353 });
    for (let i = 0; i < 20; i++) of.network.at(of.network.now + i * 100, () => application.send(300));
    assert.ok(of.run(30, () => all.every((talker) => talker.heard === "answer") && heard.every((talker) => talker.heard === "question")));
    of.run(5);
    assert.equal(heard.length, 2);
    assert.ok(
      application.answers.length >= (link.includes("loss") ? 5 : 20) && application.wrong === 0,
      `${application.answers.length} answers`,
    );
  });
}

test("a listener that the server's list does not have, or whose address is taken: refused, named in both logs, asked for again", () => {
  const log = new LogLines();
  const { of } = world({ client: { reverse: [`ssh=${near}:22`] } }, log);
  of.run(5);
  assert.equal(log.count('reverse forward refused: "ssh" is not a listener here (option reverse)'), 1);
  assert.equal(log.lines.filter((line) => line.startsWith("connection refused by the peer") && line.includes("reverse ssh")).length, 1);
  assert.equal(connect(of).broken, undefined);
  of.run(10);
  assert.equal(log.count("reverse forward refused"), 2);
  assert.equal(of.server.observe(0, question).totals.counted.channels!.refusedTargets, 2);
});

test("a kcptun at the other end: told, and nothing else happens", () => {
  const log = new LogLines();
  const { of } = world({ server: { extensions: "false" } }, log);
  of.run(20);
  assert.ok(
    log.count("connection refused: the server is a kcptun") + log.count("reverse forward cannot be had: the server is a kcptun") >= 1,
  );
  assert.equal(of.server.listeners, 0);
});

test("the listener closes with the last session that asked, and opens again when the server comes back", () => {
  const { of } = world({});
  of.run(3);
  assert.equal(of.server.listeners, 2);
  of.restartServer();
  of.run(1);
  assert.equal(of.server.listeners, 0);
  assert.ok(
    of.run(25, () => of.server.listeners === 2),
    "the client noticed and asked again",
  );
  const talker = connect(of);
  assert.ok(of.run(3, () => talker.heard === "answer"));
  of.client.stop(of.network.now);
  of.run(2);
  assert.equal(of.server.listeners, 0);
});

test("several sessions take turns; one that was replaced gets nothing new but keeps what it has", () => {
  const { of } = world({ client: { conn: 2 } });
  of.run(3);
  const all = Array.from({ length: 4 }, () => connect(of));
  assert.ok(of.run(5, () => all.every((talker) => talker.heard === "answer")));
  assert.deepEqual(
    of.server.report(of.network.now).map(({ streams }) => streams),
    [4, 4],
  );

  const { of: rotating } = world({ client: { autoexpire: 6, scavengettl: 60 } });
  rotating.run(3);
  const old = connect(rotating);
  rotating.run(5);
  const young = connect(rotating);
  rotating.run(2);
  assert.deepEqual([old.broken, young.heard, rotating.client.report(0).length], [undefined, "answer", 2]);
  assert.deepEqual(
    rotating.server.report(rotating.network.now).map(({ streams }) => streams),
    [1, 3],
    "the old one has its connection, the young one the new connection and the two listeners",
  );
});

test("proxyprotocol at the client: its target hears who came to the server", () => {
  const { of, heard } = world({ client: { proxyprotocol: "true" } });
  of.run(3);
  const talker = connect(of);
  assert.ok(of.run(3, () => talker.heard === "answer"));
  const bytes = Buffer.from(heard[0]!.heard, "latin1");
  assert.deepEqual([bytes.readUInt8(12), [...bytes.subarray(16, 24)], bytes.readUInt16BE(26)], [0x21, [10, 0, 0, 2, 10, 0, 0, 2], 8080]);
  assert.equal(bytes.subarray(28).toString(), "question");
});

test("reverse forwards can be replaced at both ends while connections go on", () => {
  const { of } = world({});
  of.run(3);
  const old = connect(of);
  of.run(1);
  of.client.forward(of.network.now, { localaddr: "", forward: [], reverse: [`web=${near}:80`] });
  of.run(2);
  assert.equal(of.server.listeners, 1);
  of.server.retarget(of.network.now, { target: `${far}:2000`, targets: [], reverse: [`web=${far}:9090`] });
  of.run(15);
  const [moved, gone] = [connect(of, 9090), connect(of, 8080)];
  of.run(2);
  assert.deepEqual([moved.heard, gone.broken, old.broken], ["answer", "ECONNREFUSED", undefined]);
});

test("wrong words", () => {
  assert.throws(() => world({ client: { reverse: ["web=80"] } }), /--reverse: "web=80" has a port but no host/);
  assert.throws(() => world({ server: { reverse: ["we b=:80"] } }), /--reverse: "we b=:80" is not a target; give NAME=ADDRESS/);
});
