/** Two loops that listen at one port, as two threads do; in one thread, so that what each has taken can be counted. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chooseIo } from "./choose.ts";
import { HandoverTable } from "./handover.ts";
import type { TcpHandler, TcpSocket } from "./loop.ts";
import { EpollLoop } from "./loop-epoll.ts";

const skip = chooseIo("auto").kind === "epoll" ? false : "foreign calls do not work here";
const HOST = "127.0.0.1";

class Thread implements TcpHandler {
  readonly loop: EpollLoop;
  readonly sockets: TcpSocket[] = [];
  readonly remotes = new Set<string>();

  constructor(loop: EpollLoop) {
    this.loop = loop;
    loop.attach();
  }

  listen(host: string, port: number): void {
    this.loop.listen({ host, port }, (socket) => {
      this.sockets.push(socket);
      this.remotes.add(socket.remote);
      return this;
    });
  }

  connected(): void {}
  readable(): void {}
  writable(): void {}
  closed(): void {}
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, HOST, done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

function threads(t: TestContext): readonly [Thread, Thread] {
  const table = new HandoverTable(2);
  const make = (index: number): Thread => new Thread(new EpollLoop({ sharePorts: true, handover: table.data(index) }));
  const both = [make(0), make(1)] as const;
  t.after(() => {
    for (const { loop } of both) loop.stop();
    table.close();
  });
  return both;
}

async function clients(t: TestContext, port: number, count: number): Promise<Socket[]> {
  const made: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect(port, HOST);
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    await once(socket, "connect");
    made.push(socket);
  }
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 500, String(condition));
    await sleep(10);
  }
}

for (const host of [HOST, "0.0.0.0"])
  test(`connections to ${host} are shared evenly, whomever the kernel gives them to, and each knows its peer`, { skip }, async (t) => {
    const both = threads(t);
    const port = await freePort();
    for (const thread of both) thread.listen(host, port);
    // Fewer than a sixteenth's worth of difference is left alone.
    const made = await clients(t, port, 16);
    await until(() => both[0].sockets.length + both[1].sockets.length === 16);
    assert.deepEqual([both[0].sockets.length, both[1].sockets.length], [8, 8]);
    const peers = made.map((socket) => `${HOST}:${socket.localPort}`);
    assert.deepEqual(new Set([...both[0].remotes, ...both[1].remotes]), new Set(peers));
    // Those of one thread are gone: it has room for as many again.
    for (const socket of both[0].sockets.splice(0)) socket.reset();
    await clients(t, port, 8);
    await until(() => both[0].sockets.length === 8);
    assert.equal(both[1].sockets.length, 8);
  });

test("what a thread cannot take, because it does not listen there yet, comes back", { skip }, async (t) => {
  const [listening, other] = threads(t);
  const port = await freePort();
  listening.listen(HOST, port);
  const sockets = await clients(t, port, 10);
  await until(() => listening.sockets.length === 10);
  assert.ok(listening.loop.counters.handedOver >= 1 && other.loop.counters.handedOver >= 1);
  assert.ok(sockets.every((socket) => !socket.destroyed));
});
