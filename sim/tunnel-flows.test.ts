/** UDP through the real client and server, in virtual time: unordered, never behind a stream, bounded, and it finds its way again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { clientConfig } from "../src/tunnel/config.ts";
import { LogLines, Traffic, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";
import { UdpApplication, UdpEcho } from "./udp-application.ts";

const [near, far] = ["10.0.0.1", "10.0.0.2"];
const question = { sessionsMax: 9, streamsMax: 9 };
const entrance = { host: near, port: 1053 };

/** A target that never reads. */
function stuck(): TcpHandler {
  return { connected() {}, readable() {}, writable() {}, closed() {} };
}

function world(options: Partial<TunnelWorldOptions>, log = new LogLines(), target: (socket: TcpSocket) => TcpHandler = stuck): TunnelWorld {
  const { client, server, ...rest } = options;
  return new TunnelWorld(
    {
      link: "delay=50",
      seed: 9,
      log,
      client: { forward: [`udp:${near}:1053=echo`], ...client },
      server: { targets: [`echo=udp:${far}:7`], ...server },
      ...rest,
    },
    target,
  );
}

/** Sends one datagram every `gap` ms. */
function stream(of: TunnelWorld, application: UdpApplication, count: number, bytes: number, gap = 20): void {
  for (let i = 0; i < count; i++) of.network.at(of.network.now + i * gap, () => application.send(bytes));
}

const counted = (end: TunnelWorld["client"] | TunnelWorld["server"]) => end.observe(0, question).totals.counted;

for (const fec of ["10", "0"]) {
  test(`datagrams go and come back whole, from the port they went to; two applications are two flows (FEC ${fec})`, () => {
    const of = world({ client: { datashard: fec }, server: { datashard: fec } });
    const echo = new UdpEcho(of.network.host(far), 7);
    const all = [new UdpApplication(of.network.host(near), entrance), new UdpApplication(of.network.host(near), entrance)];
    for (const application of all) stream(of, application, 100, 200);
    of.run(5);
    for (const { answers, wrong } of all) assert.deepEqual([answers.length, wrong], [100, 0]);
    assert.equal(echo.sources.size, 2);
    assert.deepEqual([counted(of.client).channels!.flowsOpened, counted(of.server).channels!.flowsAccepted], [2, 2]);
    assert.ok(Math.max(...all[0]!.delays.slice(20)) < 110, `delays ${all[0]!.delays.slice(20, 30)}`);
  });
}

test("20 % loss: what is lost stays lost, what arrives is not late; FEC brings back most", () => {
  const share = (datashard: number): number => {
    const of = world({ link: "delay=50 loss=20%", client: { datashard, parityshard: 4 }, server: { datashard, parityshard: 4 } });
    new UdpEcho(of.network.host(far), 7);
    const application = new UdpApplication(of.network.host(near), entrance);
    stream(of, application, 2000, 160, 5);
    of.run(15);
    assert.equal(application.wrong, 0);
    return application.answers.length / 2000;
  };
  const [bare, repaired] = [share(0), share(8)];
  assert.ok(bare > 0.58 && bare < 0.7, `${bare} of the datagrams without FEC: 0.8² expected`);
  assert.ok(repaired > 0.9, `${repaired} with FEC`);
});

test("a blocked stream and a bulk stream hold nothing up", () => {
  const delays = (blocked: boolean): number[] => {
    const of = world({
      client: { smuxbuf: 65_536, streambuf: 65_536, smuxver: 1 },
      server: { smuxbuf: 65_536, streambuf: 65_536, rcvwnd: 64 },
    });
    new UdpEcho(of.network.host(far), 7);
    const application = new UdpApplication(of.network.host(near), entrance);
    if (blocked) {
      of.connect((socket) => new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 10_000_000 }));
      of.run(5);
      const before = counted(of.server).wire!.receivedBytes!;
      of.run(5);
      assert.ok(counted(of.server).wire!.receivedBytes! - before < 100_000, "the stream is stuck");
    }
    stream(of, application, 200, 200);
    of.run(8);
    assert.deepEqual([application.answers.length, application.wrong], [200, 0]);
    return application.delays;
  };
  const [free, behind] = [delays(false), delays(true)];
  assert.ok(
    Math.max(...behind) <= Math.max(...free) + 5,
    `longest ${Math.max(...free)} ms, behind a blocked stream ${Math.max(...behind)} ms`,
  );
});

test("datagrams longer than a packet travel in pieces, up to the longest that UDP has", () => {
  const of = world({ client: { flowqueue: 1024 }, server: { flowqueue: 1024 } });
  new UdpEcho(of.network.host(far), 7);
  const application = new UdpApplication(of.network.host(near), entrance);
  for (const bytes of [4, 1200, 1350, 1500, 9000, 65_507]) {
    application.send(bytes);
    of.run(1);
  }
  assert.deepEqual(application.answers, [0, 1, 2, 3, 4, 5]);
  assert.equal(application.wrong, 0);
  assert.ok(counted(of.server).channels!.datagramsCut! >= 3 && counted(of.client).reassembly!.whole! >= 3);
});

for (const end of ["client", "server"] as const) {
  test(`flowparts at the ${end}: so many datagrams are put together at once`, () => {
    const evicted = (flowparts: number): number => {
      const of = world({
        link: "delay=50 jitter=40 reorder=1",
        client: { datashard: 0, ...(end === "client" ? { flowparts } : {}) },
        server: { datashard: 0, ...(end === "server" ? { flowparts } : {}) },
      });
      new UdpEcho(of.network.host(far), 7);
      const application = new UdpApplication(of.network.host(near), entrance);
      application.send(100);
      of.run(1);
      for (let i = 0; i < 12; i++) application.send(4000);
      of.run(2);
      return counted(of[end]).reassembly!.evicted!;
    };
    assert.equal(evicted(16), 0);
    assert.ok(evicted(2) > 0);
  });
}

test("flowidle: a flow ends when it idles, at both ends, and begins again by itself", () => {
  const log = new LogLines();
  const of = world({ client: { flowidle: 5 }, server: { flowidle: 5 } }, log);
  const echo = new UdpEcho(of.network.host(far), 7);
  const application = new UdpApplication(of.network.host(near), entrance);
  application.send(100);
  of.run(4);
  application.send(100);
  of.run(4);
  assert.deepEqual([counted(of.client).channels!.flowsExpired, echo.sources.size], [0, 1]);
  of.run(4);
  assert.deepEqual([counted(of.client).channels!.flowsExpired, of.server.flows], [1, 0]);
  application.send(100);
  of.run(1);
  assert.deepEqual([application.answers.length, echo.sources.size], [3, 2]);
});

test("the server's end of a flow idles away: the next datagram opens it again", () => {
  const of = world({ client: { flowidle: 100 }, server: { flowidle: 5 } });
  new UdpEcho(of.network.host(far), 7);
  const application = new UdpApplication(of.network.host(near), entrance);
  application.send(100);
  of.run(20);
  assert.equal(of.server.flows, 0);
  application.send(100);
  of.run(1);
  assert.deepEqual(application.answers, [0, 1]);
});

test("an END that is lost: DATA for a flow the server does not know is answered by another END, and the flow goes on", () => {
  const of = world({ client: { flowidle: 100 }, server: { flowidle: 5 } });
  // Down for less than the client takes for silence.
  new UdpEcho(of.network.host(far), 7);
  const application = new UdpApplication(of.network.host(near), entrance);
  application.send(100);
  of.run(4.9);
  of.links.ba.set("down=1");
  of.run(1.4);
  assert.equal(of.server.flows, 0);
  of.links.ba.set("down=0");
  for (let i = 0; i < 3; i++) {
    application.send(100);
    of.run(1);
  }
  assert.deepEqual(application.answers, [0, 2, 3], "the first is lost, it brings the END");
});

test("flows: no more than so many, at either end", () => {
  for (const [client, server] of [
    [{ flows: 3 }, {}],
    [{}, { flows: 3 }],
  ]) {
    const log = new LogLines();
    const of = world({ client: client!, server: server! }, log);
    new UdpEcho(of.network.host(far), 7);
    const all = Array.from({ length: 5 }, () => new UdpApplication(of.network.host(near), entrance));
    for (const application of all) application.send(100);
    of.run(2);
    assert.equal(all.filter(({ answers }) => answers.length === 1).length, 3);
    assert.ok(counted(of.client).channels!.flowsRefused === 2 || counted(of.server).channels!.flowsRefused === 2);
    assert.ok(log.count("as option flows allows are open") >= 1);
  }
});

test("flows: when there are too many, those that have idled for 10 s give way, and come back with their next datagram", () => {
  for (const [client, server] of [
    [{ flows: 3 }, {}],
    [{}, { flows: 3 }],
  ]) {
    const of = world({ client: client!, server: server! });
    new UdpEcho(of.network.host(far), 7);
    const all = Array.from({ length: 4 }, () => new UdpApplication(of.network.host(near), entrance));
    for (const application of all.slice(0, 3)) application.send(100);
    of.run(8);
    all[0]!.send(100);
    of.run(4);
    all[3]!.send(100);
    of.run(1);
    all[0]!.send(100);
    all[1]!.send(100);
    of.run(1);
    assert.deepEqual(
      all.map(({ answers }) => answers.length),
      [3, 2, 1, 1],
    );
    assert.equal(counted(of.client).channels!.flowsEvicted! + counted(of.server).channels!.flowsEvicted!, 2);
  }
});

for (const end of ["client", "server"] as const) {
  test(`flowqueue at the ${end}: what waits too long gives way, oldest first`, () => {
    const dropped = (flowqueue: number): { dropped: number; first: number } => {
      const slow = { flowqueue, ratelimit: 20_000, datashard: 0 };
      const of = world({ client: end === "client" ? slow : { flowqueue: 1024 }, server: end === "server" ? slow : { flowqueue: 1024 } });
      new UdpEcho(of.network.host(far), 7);
      const application = new UdpApplication(of.network.host(near), entrance);
      application.send(100);
      of.run(1);
      for (let i = 0; i < 200; i++) application.send(1000);
      of.run(30);
      return { dropped: counted(of[end]).extension!.outboxDropped!, first: application.answers[1]! };
    };
    const small = dropped(16);
    assert.ok(small.dropped > 50 && small.first > 1, JSON.stringify(small));
    assert.deepEqual(dropped(1024), { dropped: 0, first: 1 });
  });
}

test("a target that is not on the list, and a kcptun at the other end: refused, told and counted", () => {
  const log = new LogLines();
  const of = world({ client: { forward: [`udp:${near}:1053=secret`] } }, log);
  const application = new UdpApplication(of.network.host(near), entrance);
  application.send(100);
  of.run(2);
  application.send(100);
  of.run(1);
  assert.equal(log.count('flow refused: "secret" is not a target for UDP here (option targets)'), 1);
  assert.equal(log.count('datagrams refused: the peer says: "secret" is not a target'), 1);
  const { refusedByPeer, datagramsRefused } = counted(of.client).channels!;
  assert.deepEqual([refusedByPeer, datagramsRefused, application.answers.length], [1, 2, 0]);

  const plain = new LogLines();
  const old = world({ server: { extensions: "false" } }, plain);
  const other = new UdpApplication(old.network.host(near), entrance);
  stream(old, other, 100, 100, 100);
  old.run(11);
  assert.equal(other.answers.length, 0);
  assert.ok(plain.count("datagrams refused: the other end is a kcptun, or has extensions off") >= 1);
  assert.equal(counted(old.server).channels!.flowsAccepted, 0);
});

for (const age of [3, 25]) {
  test(`a restarted server: a flow goes on within 4 s, without a stream to notice it, in a session of ${age} s`, () => {
    // The keep-alive alone would take up to 30 s, and a session that has been answered does not ask by itself any more.
    const of = world({ client: { keepalive: 30 } });
    new UdpEcho(of.network.host(far), 7);
    const application = new UdpApplication(of.network.host(near), entrance);
    application.send(100);
    of.run(age - 1);
    stream(of, application, 500, 100, 20);
    of.run(1);
    of.restartServer();
    new UdpEcho(of.network.host(far), 7);
    of.run(12);
    const missing = 501 - application.answers.length;
    assert.ok(
      application.answers.at(-1) === 500 && missing < 200,
      `${missing} datagrams of 20 ms missing, the last answer is ${application.answers.at(-1)}`,
    );
  });
}

test("only the target may answer", () => {
  const of = world({});
  const echo = new UdpEcho(of.network.host(far), 7);
  const application = new UdpApplication(of.network.host(near), entrance);
  application.send(100);
  of.run(1);
  const stranger = new UdpApplication(of.network.host(far), { host: far, port: [...echo.sources][0]! });
  stranger.send(100);
  of.run(1);
  assert.equal(application.answers.length, 1);
  assert.equal(counted(of.server).channels!.datagramsForeign, 1);
});

test("a target by name is looked up once for many flows", () => {
  const of = world({ server: { targets: [`echo=udp:echo.example:7`] } });
  const loop = of.network.host(far);
  let asked = 0;
  loop.resolve = (_host, _family, done) => {
    asked++;
    loop.post((now) => done(far, now));
  };
  new UdpEcho(loop, 7);
  const all = Array.from({ length: 20 }, () => new UdpApplication(of.network.host(near), entrance));
  for (const application of all) application.send(100);
  of.run(2);
  assert.deepEqual([all.filter(({ answers }) => answers.length === 1).length, asked], [20, 1]);
  of.run(3);
  new UdpApplication(of.network.host(near), entrance).send(100);
  of.run(1);
  assert.equal(asked, 1, "the answer is kept for a while");
  of.run(20);
  new UdpApplication(of.network.host(near), entrance).send(100);
  of.run(1);
  assert.equal(asked, 2);
});

test("flows and flowidle change under way", () => {
  const settings = { forward: [`udp:${near}:1053=echo`], localaddr: `${near}:1000`, remoteaddr: `${far}:3000`, crypt: "none" };
  const of = world({});
  new UdpEcho(of.network.host(far), 7);
  const all = Array.from({ length: 3 }, () => new UdpApplication(of.network.host(near), entrance));
  all[0]!.send(100);
  of.run(1);
  const changes = of.client.reload(of.network.now, clientConfig.parse({ ...settings, flows: 2, flowidle: 5 }));
  assert.deepEqual(changes.now.sort(), ["flowidle", "flows"]);
  for (const application of all) application.send(100);
  of.run(1);
  assert.deepEqual(
    all.map(({ answers }) => answers.length),
    [2, 1, 0],
  );
  of.run(7);
  assert.equal(counted(of.client).channels!.flowsExpired, 2);
});

test("a range of ports comes out at a range of ports, each port at its own", () => {
  const of = world({ client: { forward: [`udp:${near}:5000-5003=rtp`] }, server: { targets: [`rtp=udp:${far}:6000-6003`] } });
  const echoes = [0, 1, 2, 3].map((i) => new UdpEcho(of.network.host(far), 6000 + i));
  const applications = [0, 1, 2, 3].map((i) => new UdpApplication(of.network.host(near), { host: near, port: 5000 + i }));
  for (const [i, application] of applications.entries()) stream(of, application, i + 1, 100);
  of.run(3);
  assert.deepEqual(
    echoes.map(({ received }) => received),
    [1, 2, 3, 4],
  );
  assert.ok(of.server.flows === 4);
});
