import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualNetwork } from "../../sim/virtual-network.ts";
import { Batch } from "../base/batch.ts";
import { Prng } from "../base/prng.ts";
import { primitives } from "../host/crypto.ts";
import { faketcpPrimitives } from "../host/faketcp-crypto.ts";
import type { Link } from "../host/link.ts";
import { silentLog } from "../host/log.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { DatagramQueue } from "./datagram-queue.ts";
import { TcpCarrier } from "./tcp-carrier.ts";
import { TcpChannel, type TcpChannelUser } from "./tcp-channel.ts";
import { plainTcp } from "./tcp-dialer.ts";
import { TcpHello, type TcpPrimitives } from "./tcp-hello.ts";
import type { TcpServerLink } from "./tcp-server-link.ts";

const all: TcpPrimitives = { ...primitives, ...faketcpPrimitives };
const at = { host: "10.0.0.2", port: 4000 };

/** Both ends on one virtual host, whose TCP is a pair of pipes of 64 KiB. */
class World {
  readonly network = new VirtualNetwork();
  readonly loop = this.network.host("10.0.0.2");
  readonly got = { client: [] as string[], server: [] as string[] };
  readonly serverPeers = new Set<number>();
  writable = 0;
  readonly server: Link;
  readonly client: Link;

  constructor(options: { connections?: number; clientKey?: string } = {}) {
    const { connections = 1, clientKey = "secret" } = options;
    const settings = { primitives: all, dial: plainTcp({}), connections };
    const carrier = (password: string) => new TcpCarrier(this.loop, { ...settings, password }, silentLog);
    const receive = (into: string[], peers?: Set<number>) => (_now: number, batch: Batch) => {
      for (let i = 0; i < batch.length; i++) {
        into.push(Buffer.from(batch.bytes.subarray(batch.start[i]!, batch.end[i]!)).toString("latin1"));
        peers?.add(batch.peer[i]!);
      }
    };
    this.server = carrier("secret").listen(at, {}, { receive: receive(this.got.server, this.serverPeers), writable: () => undefined });
    this.client = carrier(clientKey).dial(at, {}, { receive: receive(this.got.client), writable: () => this.writable++ });
  }

  send(link: Link, texts: readonly string[], peer = 0): number {
    const batch = new Batch(texts.length);
    for (const text of texts) {
      const start = batch.slot(batch.length);
      batch.bytes.set(Buffer.from(text, "latin1"), start);
      batch.add(start, start + text.length, peer);
    }
    return link.send(batch, 0);
  }

  run(ms: number): void {
    this.network.run(this.network.now + ms);
  }
}

test("datagrams keep their borders and their order, both ways, over one connection", () => {
  const world = new World();
  assert.equal(world.send(world.client, ["too early"]), 0);
  world.run(50);
  assert.equal(world.writable, 1);
  const texts = Array.from({ length: 100 }, (_, i) =>
    String(i)
      .repeat(1 + (i % 7))
      .padEnd(i * 13, "x"),
  );
  assert.equal(world.send(world.client, texts), 100);
  world.run(50);
  assert.deepEqual(world.got.server, texts);
  assert.equal(world.serverPeers.size, 1);
  assert.equal(world.send(world.server, ["", "b", "c".repeat(1500)], [...world.serverPeers][0]!), 3);
  world.run(50);
  assert.deepEqual(world.got.client, ["", "b", "c".repeat(1500)]);
});

test("another key: the server says nothing, the client tries again, and nothing is carried", () => {
  const world = new World({ clientKey: "another" });
  const heard: number[] = [];
  const socket = world.loop.connect(at, {
    connected: () => undefined,
    readable: () => void heard.push(socket.read(new Uint8Array(100), 0, 100)),
    writable: () => undefined,
    closed: () => undefined,
  });
  world.run(20);
  socket.write(new Uint8Array(200), 0, 200);
  world.run(9000);
  assert.deepEqual(heard, []);
  assert.deepEqual([world.writable, world.send(world.client, ["lost"])], [0, 0]);
  world.run(15_000);
  assert.ok((world.server as TcpServerLink).stats.strangers >= 3, "strangers are counted, the client among them more than once");
});

test("a hello that is played again makes no session, and takes no part in one", () => {
  const world = new World();
  const said: Uint8Array[] = [];
  const connect = world.loop.connect.bind(world.loop);
  world.loop.connect = (to, handler) => {
    const socket = connect(to, handler);
    const write = socket.write.bind(socket);
    socket.write = (bytes, start, end) => {
      said.push(bytes.slice(start, end));
      return write(bytes, start, end);
    };
    return socket;
  };
  world.run(50);
  world.send(world.client, ["once"]);
  world.run(50);
  assert.deepEqual(world.got.server, ["once"]);
  const again = connect(at, { ...stranger });
  world.run(10);
  for (const bytes of said) again.write(bytes, 0, bytes.length);
  world.run(100);
  assert.deepEqual(world.got.server, ["once"]);
  assert.equal(world.server.addresses.counters.peers, 1);
  assert.equal((world.server as TcpServerLink).stats.strangers, 1);
});

test("a connection that breaks is made anew, and the server knows the session by it", () => {
  const world = new World();
  const connections: TcpSocket[] = [];
  const connect = world.loop.connect.bind(world.loop);
  world.loop.connect = (to, handler) => {
    const socket = connect(to, handler);
    connections.push(socket);
    return socket;
  };
  world.run(50);
  world.send(world.client, ["first"]);
  world.run(50);
  connections[0]!.shutdown();
  world.run(50);
  assert.equal(world.send(world.client, ["while it is down"]), 0);
  world.run(1000);
  assert.equal(connections.length, 2);
  assert.equal(world.send(world.client, ["second"]), 1);
  world.run(50);
  assert.deepEqual(world.got.server, ["first", "second"]);
  assert.equal(world.serverPeers.size, 1);
});

test("several connections carry one session", () => {
  const world = new World({ connections: 4 });
  world.run(50);
  assert.equal(world.writable, 4);
  // More than the pipes hold, so that every connection has something to do.
  for (let i = 0; i < 300; i++) world.send(world.client, [String(i).padEnd(1000)]);
  world.run(200);
  assert.deepEqual(
    world.got.server.map(Number).sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, i) => i),
  );
  assert.equal(world.serverPeers.size, 1);
});

test("who cannot be written to makes the oldest give way, and is known to take no more", () => {
  const world = new World();
  world.run(50);
  world.send(world.client, ["hello"]);
  world.run(50);
  const [peer] = [...world.serverPeers];
  assert.equal(world.server.takes!(peer!), true);
  const count = 2000;
  for (let i = 0; i < count; i++) world.send(world.server, [String(i).padEnd(1000)], peer!);
  assert.equal(world.server.takes!(peer!), false);
  world.run(500);
  const got = world.got.client.map(Number);
  const dropped = world.server.counters.sendErrors;
  assert.ok(dropped > 1000 && dropped < 1700, `${dropped} dropped`);
  assert.equal(got.length, count - dropped);
  assert.equal(got.at(-1), count - 1, "the newest arrives");
  assert.equal(world.server.takes!(peer!), true);
});

test("what has waited too long is dropped", () => {
  const queue = new DatagramQueue(10_000, 500);
  const bytes = new Uint8Array(100).fill(7);
  queue.push(1000, bytes, 0, 10);
  queue.push(1400, bytes, 0, 20);
  const into = new Uint8Array(1000);
  assert.equal(queue.take(1500, into, 0, into.length), 22);
  assert.deepEqual([queue.droppedLate, queue.droppedFull, queue.bytes], [1, 0, 0]);
});

test("idle connections stay, those whose other end is silent end", () => {
  const world = new World();
  world.run(60_000);
  assert.equal(world.send(world.client, ["still there"]), 1);
  world.run(50);
  assert.deepEqual(world.got.server, ["still there"]);
  const channel = new TcpChannel({ hello: new TcpHello("k", all), user: nobody, now: 0 });
  channel.socket = { ...deadSocket };
  assert.equal(channel.advance(9_999), 10_000);
  channel.advance(10_000);
  assert.equal(channel.state, "closed");
});

test("garbage of any kind closes or is ignored, and disturbs nobody", () => {
  const seed = Number(process.env.SEED ?? 20261121);
  console.log(`tcp carrier fuzz: SEED=${seed}`);
  const random = new Prng(seed);
  const world = new World();
  world.run(50);
  for (let i = 0; i < 60; i++) {
    const socket = world.loop.connect(at, { ...stranger });
    world.run(5);
    const bytes = new Uint8Array(1 + (random.u32() % 40_000));
    random.fill(bytes);
    socket.write(bytes, 0, bytes.length);
    if (i % 3 === 0) socket.shutdown();
    if (i % 5 === 0) socket.reset();
    world.send(world.client, [`datagram ${i}`]);
    world.run(20);
  }
  assert.deepEqual(
    world.got.server,
    Array.from({ length: 60 }, (_, i) => `datagram ${i}`),
  );
  world.run(11_000);
  assert.ok((world.server as TcpServerLink).stats.strangers >= 60);
});

const nobody: TcpChannelUser = { opened: () => undefined, arrived: () => undefined, writable: () => undefined, closed: () => undefined };
const deadSocket: TcpSocket = {
  remote: "nowhere:1",
  ...{ read: () => 0, write: () => 0, readv: () => 0, writev: () => 0 },
  ...{ shutdown: () => undefined, close: () => undefined, reset: () => undefined },
};
const stranger: TcpHandler = { connected: () => undefined, readable: () => undefined, writable: () => undefined, closed: () => undefined };
