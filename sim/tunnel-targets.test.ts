/** Targets that the client chooses from the server's list, several listeners, and the application's address; the real client and server in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { LogLines, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";

const [near, far] = ["10.0.0.1", "10.0.0.2"];

/** A target that says its name and then repeats what it hears. */
function named(name: string, heard: string[] = []): (socket: TcpSocket) => TcpHandler {
  return (socket) => {
    const buffer = new Uint8Array(2000);
    const text = new TextEncoder().encode(name);
    socket.write(text, 0, text.length);
    return {
      connected() {},
      readable() {
        for (let n = socket.read(buffer, 0, 2000); n > 0; n = socket.read(buffer, 0, 2000))
          heard.push(Buffer.from(buffer.subarray(0, n)).toString("latin1"));
      },
      writable() {},
      closed() {},
    };
  };
}

class Application implements TcpHandler {
  heard = "";
  broken: string | undefined;
  socket: TcpSocket | undefined;
  constructor(of: TunnelWorld, port: number) {
    this.socket = of.network.host(near).connect({ host: near, port }, this);
  }
  connected(): void {
    this.socket?.write(new TextEncoder().encode("hello"), 0, 5);
    this.readable();
  }
  readable(): void {
    const buffer = new Uint8Array(2000);
    for (let n = this.socket!.read(buffer, 0, 2000); n > 0; n = this.socket!.read(buffer, 0, 2000))
      this.heard += Buffer.from(buffer.subarray(0, n)).toString();
  }
  writable(): void {}
  closed(_now: number, code: string): void {
    this.broken = code;
  }
}

function world(options: Partial<TunnelWorldOptions>, log = new LogLines()): TunnelWorld {
  const of = new TunnelWorld({ link: "delay=50", seed: 5, log, ...options }, named("default"));
  of.network.host(far).listen({ host: far, port: 2001 }, named("web"));
  of.network.host(far).listen({ host: far, port: 2002 }, named("git"));
  return of;
}

const three = [`${near}:1001=web`, `${near}:1002=git`, `${near}:1003=${far}:2002`, `${near}:1004`];
const list = [`web=${far}:2001`, `git=tcp:${far}:2002`, `dns=udp:${far}:53`];

for (const link of ["delay=50", "delay=50 loss=20%"]) {
  test(`forward and targets: each listener leads to its own target, over one session (${link})`, () => {
    const of = world({ link, client: { forward: three }, server: { targets: list } });
    const all = [1000, 1001, 1002, 1003, 1004].map((port) => new Application(of, port));
    assert.ok(of.run(30, () => all.every(({ heard }) => heard !== "")));
    assert.deepEqual(
      all.map(({ heard }) => heard),
      ["default", "web", "git", "git", "default"],
    );
    assert.equal(of.server.report(0).length, 1);
    const later = new Application(of, 1001);
    assert.ok(
      of.run(5, () => later.heard === "web"),
      "when the peer is known nobody waits",
    );
  });
}

test("a target that is not on the list is refused, named in both logs and counted, and leads nowhere", () => {
  const log = new LogLines();
  const of = world({ client: { forward: [`${near}:1001=secret`, `${near}:1002=dns`] }, server: { targets: list } }, log);
  const [secret, dns] = [new Application(of, 1001), new Application(of, 1002)];
  assert.ok(of.run(5, () => secret.broken !== undefined && dns.broken !== undefined));
  assert.deepEqual([secret.heard, dns.heard, secret.broken], ["", "", "ECONNRESET"]);
  assert.equal(log.count('connection refused: "secret" is not a target for TCP here (option targets)'), 1);
  assert.equal(log.lines.filter((line) => line.startsWith("connection refused by the peer") && line.includes("secret")).length, 1);
  const question = { sessionsMax: 1, streamsMax: 1 };
  assert.equal(of.server.observe(0, question).totals.counted.channels!.refusedTargets, 2);
  assert.equal(of.client.observe(0, question).totals.counted.channels!.refusedByPeer, 2);
  assert.deepEqual([of.client.report(0)[0]!.streams, of.server.report(0)[0]!.streams], [0, 0]);
});

test("a kcptun at the other end: named targets are refused in the log, the default goes on", () => {
  const log = new LogLines();
  const of = world({ client: { forward: three }, server: { extensions: "false", targets: list } }, log);
  const [plain, web] = [new Application(of, 1000), new Application(of, 1001)];
  of.run(1);
  assert.deepEqual([plain.heard, web.heard, web.broken], ["default", "", undefined]);
  assert.ok(of.run(5, () => web.broken !== undefined));
  assert.equal(log.count("connection refused: the server is a kcptun"), 1);
  const again = new Application(of, 1001);
  of.run(0.5);
  assert.equal(again.broken, "ECONNREFUSED", "while the opinion is fresh there is no waiting");
  assert.equal(of.client.observe(0, { sessionsMax: 1, streamsMax: 1 }).totals.counted.channels!.refusedPlain, 2);
});

test("a connection that ends while it waits for the peer to be known leaves nothing", () => {
  const of = world({ client: { forward: three }, server: { targets: list } });
  const application = new Application(of, 1001);
  of.run(0.02);
  application.socket!.reset();
  of.run(5);
  assert.deepEqual([of.client.report(0)[0]!.streams, of.server.report(0)[0]!.streams], [0, 0]);
});

for (const [name, port] of [
  ["of a named target", 1001],
  ["of the default, whose description follows", 1000],
] as const) {
  test(`proxyprotocol: the target hears the application's address, ${name}`, () => {
    const heard: string[] = [];
    const of = new TunnelWorld(
      { link: "delay=50", seed: 5, client: { forward: three }, server: { targets: [`web=${far}:2000`], proxyprotocol: "true" } },
      named("", heard),
    );
    const application = new Application(of, port);
    of.run(2);
    const bytes = Buffer.from(heard.join(""), "latin1");
    const source = application.socket!.local!.split(":");
    assert.deepEqual([...bytes.subarray(16, 20)], [10, 0, 0, 1]);
    assert.deepEqual([...bytes.subarray(20, 24)], [10, 0, 0, 1], "and the address it asked");
    assert.deepEqual([bytes.readUInt16BE(24), bytes.readUInt16BE(26)], [Number(source[1]), port]);
    assert.equal(bytes.subarray(28).toString(), "hello");
  });
}

test("proxyprotocol: a kcptun client is named itself, at once", () => {
  const heard: string[] = [];
  const of = new TunnelWorld(
    { link: "delay=50", seed: 5, client: { extensions: "false" }, server: { proxyprotocol: "true" } },
    named("", heard),
  );
  new Application(of, 1000);
  of.run(0.3);
  assert.equal(heard.join("").slice(-5), "hello");
});

test("forwards and targets can be replaced while connections go on", () => {
  const of = world({ client: { forward: three }, server: { targets: list } });
  const old = new Application(of, 1001);
  assert.ok(of.run(3, () => old.heard === "web"));
  of.client.forward(of.network.now, { localaddr: "", forward: [`${near}:1001=git`, `${near}:1009=web`], reverse: [] });
  of.server.retarget(of.network.now, { target: `${far}:2000`, targets: [`git=${far}:2002`], reverse: [] });
  const [changed, added, gone] = [new Application(of, 1001), new Application(of, 1009), new Application(of, 1002)];
  of.run(2);
  assert.deepEqual([changed.heard, added.broken, gone.broken, old.broken], ["git", "ECONNRESET", "ECONNREFUSED", undefined]);
  assert.throws(() => of.client.forward(0, { localaddr: "", forward: ["=web"], reverse: [] }), /--forward: "=web" is not a forward/);
  const still = new Application(of, 1001);
  assert.ok(of.run(2, () => still.heard === "git"));
});

test("a list of words, wrong in every way", () => {
  const wrong = (client: string[], server: string[], expected: RegExp): void => {
    assert.throws(() => world({ client: { forward: client }, server: { targets: server } }), expected);
  };
  wrong(["8080=web"], [], /--forward: "8080=web" is not a forward; give \[tcp:\|udp:\|rtmp:\]LISTEN\[=TARGET\]/);
  wrong([":8080="], [], /is not a forward/);
  wrong(["udp:/run/x=web"], [], /UDP comes to host:port, not to a unix socket/);
  wrong([`${near}:7=a`, `${near}:7=b`], [], /given twice/);
  wrong([], ["web=80"], /has a port but no host/);
  wrong([], ["we b=:80"], /is not a target; give NAME=ADDRESS/);
  wrong([], ["web=udp:/run/x"], /UDP goes to host:port/);
  wrong([], ["web=:80", "web=udp::81"], /"web" is given twice/);
});
