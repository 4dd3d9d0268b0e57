/** Options of the tunnel whose effect is seen from outside, in virtual time: each test fails when the option is ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpHandler, TcpSocket, UdpOptions } from "../src/host/loop.ts";
import { Traffic, TunnelWorld, type TunnelWorldOptions } from "./tunnel-world.ts";
import { VirtualNetwork } from "./virtual-network.ts";

const near = "10.0.0.1";

/** A target that answers every connection with 1000 bytes and never ends. */
function answer(socket: TcpSocket): TcpHandler {
  const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 1000 });
  traffic.connected(0);
  return traffic;
}

function world(options: Partial<TunnelWorldOptions>, target = answer): TunnelWorld {
  return new TunnelWorld({ link: "delay=10", seed: 7, ...options }, target);
}

function connect(of: TunnelWorld, sendBytes = 100, endAfterSending = false): Traffic {
  let traffic: Traffic | undefined;
  of.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes, endAfterSending });
    return traffic;
  });
  return traffic!;
}

/** Calls back for every datagram that the client sends. */
function watch({ network }: TunnelWorld, sent: (toPort: number, bytes: number, now: number) => void): void {
  const send = network.send.bind(network);
  network.send = (from, fromPort, to, toPort, bytes, start, end) => {
    if (from === near) sent(toPort, end - start, network.now);
    send(from, fromPort, to, toPort, bytes, start, end);
  };
}

test("remoteaddr and listen as ranges: each session has a port of its own choice, the server serves all", () => {
  const of = world({ client: { remoteaddr: "10.0.0.2:3000-3007", conn: 8 }, server: { listen: "10.0.0.2:3000-3007" } });
  const ports = new Set<number>();
  watch(of, (port) => ports.add(port));
  const all = Array.from({ length: 8 }, () => connect(of));
  assert.ok(of.run(3, () => all.every((traffic) => traffic.received === 1000)));
  assert.ok(ports.size >= 3 && [...ports].every((port) => port >= 3000 && port <= 3007), `ports ${[...ports]}`);
  assert.equal(of.server.report(0).length, 8);
  assert.throws(() => world({ server: { listen: "10.0.0.2:1-2000" } }), /--listen: .* 2000 ports; --ports allows 1024/);
});

test("conn: sessions are used in turn", () => {
  const of = world({ client: { conn: 3 } });
  const all = Array.from({ length: 6 }, () => connect(of));
  assert.ok(of.run(3, () => all.every((traffic) => traffic.received === 1000)));
  assert.deepEqual(
    of.client.report(0).map(({ streams }) => streams),
    [2, 2, 2],
  );
});

test("autoexpire and scavengettl: new connections get a new session, the old one goes on for a time, then ends", () => {
  const of = world({ client: { autoexpire: 2, scavengettl: 4 } });
  const old = connect(of);
  of.run(1);
  const same = connect(of);
  of.run(2);
  assert.equal(of.client.report(0).length, 1);
  const young = connect(of);
  of.run(1);
  assert.deepEqual([same.received, young.received, of.client.report(0).length], [1000, 1000, 2]);
  of.run(1.5);
  assert.equal(old.broken ?? same.broken, undefined, "before 2 + 4 s the old connections live");
  of.run(2);
  assert.deepEqual([old.broken, same.broken, young.broken], ["ECONNRESET", "ECONNRESET", undefined]);
  assert.equal(of.client.report(0).length, 1);
});

test("retired: the oldest of too many replaced sessions ends early", () => {
  const of = world({ client: { autoexpire: 1, scavengettl: 600, retired: 2 } });
  const all: Traffic[] = [];
  for (let i = 0; i < 4; i++) {
    all.push(connect(of));
    of.run(1.5);
  }
  assert.deepEqual(
    all.map(({ broken }) => broken),
    ["ECONNRESET", undefined, undefined, undefined],
  );
});

test("ratelimit: never more than 96,000 bytes and the rate, and nothing is lost by it", () => {
  const rate = 200_000;
  const of = world({ client: { ratelimit: rate, nocomp: "true", datashard: 0, sndwnd: 1024 } });
  let sent = 0;
  let over = 0;
  watch(of, (_port, bytes, now) => {
    sent += bytes;
    over = Math.max(over, sent - (96_000 + (rate * now) / 1000));
  });
  connect(of, 600_000);
  assert.ok(of.run(20, () => of.server.counters().BytesReceived! >= 600_000));
  const seconds = of.network.now / 1000;
  assert.ok(over <= 0, `${over} bytes too many`);
  assert.ok(seconds > 2.4 && seconds < 5, `${seconds} s for 600,000 bytes at 200,000 a second`);
  assert.equal(of.server.counters().RepeatSegs, 0, "what waits is not sent twice");
});

test("keepalive: an idle session speaks so often", () => {
  const datagramsIn20s = (keepalive: number): number => {
    const of = world({ client: { keepalive, datashard: 0 }, server: { keepalive: 30, datashard: 0 } });
    const traffic = connect(of);
    of.run(3, () => traffic.received === 1000);
    of.run(2);
    let count = 0;
    watch(of, () => count++);
    of.run(20);
    return count;
  };
  assert.deepEqual([datagramsIn20s(2), datagramsIn20s(5)], [10, 4]);
});

test("closewait: a half that idles is closed after so many seconds", () => {
  const streamsAfter = (closewait: number, seconds: number): number[] => {
    const of = world({ client: { closewait }, server: { closewait } });
    connect(of, 100, true);
    of.run(seconds);
    return [of.client.report(0)[0]!.streams, of.server.report(0)[0]!.streams];
  };
  assert.deepEqual(streamsAfter(3, 2), [1, 1]);
  assert.deepEqual(streamsAfter(3, 6), [0, 0]);
  assert.deepEqual(streamsAfter(30, 6), [1, 1]);
});

test("dscp, gso and sockbuf reach the sockets of both ends", (t) => {
  const asked: UdpOptions[] = [];
  const host = VirtualNetwork.prototype.host;
  t.mock.method(VirtualNetwork.prototype, "host", function (this: VirtualNetwork, address: string) {
    const loop = host.call(this, address);
    const udp = Object.getPrototypeOf(loop).udp;
    loop.udp = (options, handler) => {
      asked.push(options);
      return udp.call(loop, options, handler);
    };
    return loop;
  });
  const of = world({ client: { dscp: 46, sockbuf: 100_000, gso: "false" }, server: { dscp: 34, sockbuf: 200_000 } });
  connect(of);
  of.run(1);
  assert.deepEqual(
    asked.map(({ dscp, socketBufferBytes, segmentation }) => [dscp, socketBufferBytes, segmentation]),
    [
      [34, 200_000, true],
      [46, 100_000, false],
    ],
  );
});

test("proxyprotocol: the target hears first who the tunnel's client is", () => {
  let heard: number[] = [];
  const of = world({ server: { proxyprotocol: "true" } }, (socket) => {
    const buffer = new Uint8Array(500);
    return {
      connected() {},
      readable() {
        for (let n = socket.read(buffer, 0, 500); n > 0; n = socket.read(buffer, 0, 500)) heard = [...heard, ...buffer.subarray(0, n)];
      },
      writable() {},
      closed() {},
    };
  });
  connect(of);
  of.run(1);
  const text = String.fromCharCode(...heard.slice(0, 12));
  assert.equal(text, "\r\n\r\n\0\r\nQUIT\n");
  const length = 16 + (heard[14]! << 8) + heard[15]!;
  assert.equal(heard.length - length, 100, "then what the application sent");
  assert.ok(String(heard.slice(16, length)).includes("10,0,0,1"));
});

test("counters of the process outlive its sessions", () => {
  const of = world({ client: { autoexpire: 1, scavengettl: 1 } });
  connect(of, 5000);
  of.run(2);
  const first = of.client.counters();
  connect(of, 5000);
  of.run(8);
  const { ActiveOpens, CurrEstab, MaxConn, OutPkts, InPkts } = of.client.counters();
  assert.deepEqual([ActiveOpens, CurrEstab, MaxConn], [2, 1, 2]);
  const [second] = of.client.report(0);
  assert.ok(first.OutPkts! > 0 && OutPkts! >= first.OutPkts! + second!.sentDatagrams, `${OutPkts} datagrams sent`);
  assert.ok(first.InPkts! > 0 && InPkts! >= first.InPkts! + second!.receivedDatagrams, `${InPkts} datagrams received`);
  assert.equal(of.server.counters().PassiveOpens, 2);
});

test("QPP and QPPCount: bytes arrive when both ends agree, and are others when they do not", () => {
  const wrongBytes = (client: Record<string, unknown>, server: Record<string, unknown>): number => {
    const of = world({ client, server });
    const traffic = connect(of, 5000);
    assert.ok(of.run(5, () => traffic.received === 1000));
    return traffic.wrong;
  };
  assert.equal(wrongBytes({ QPP: "true" }, { QPP: "true" }), 0);
  assert.ok(wrongBytes({ QPP: "true" }, {}) > 900);
  assert.ok(wrongBytes({ QPP: "true", QPPCount: 61 }, { QPP: "true", QPPCount: 67 }) > 900);
});
