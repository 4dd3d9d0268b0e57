/** The epoll loop inside Node's: where many connections bring a little each, their input gathers; where little comes, nothing waits for more. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { chooseIo } from "./choose.ts";
import type { TcpHandler, TcpSocket } from "./loop.ts";
import { EpollLoop } from "./loop-epoll.ts";

const skip = chooseIo().kind === "epoll" ? false : "no foreign calls here";
const SOCKETS = 16;
const ROUNDS = 60;
const BYTES_HEARD = 40;

/** Listens at the port that it answers, with sockets that are told only of what came. */
function listenFor(loop: EpollLoop, readable: (socket: TcpSocket) => void): number {
  const { local } = loop.listen(
    { host: "127.0.0.1", port: 0 },
    (socket): TcpHandler => ({ connected() {}, writable() {}, closed() {}, readable: () => readable(socket) }),
  );
  assert.ok("port" in local);
  return local.port;
}

/** Each of SOCKETS connections is given a byte every other millisecond: reads that brought something, and bytes. */
async function exchange(gather: number): Promise<{ reads: number; bytes: number; lone: boolean }> {
  const loop = new EpollLoop();
  loop.attach({ gather });
  const got = { reads: 0, bytes: 0, lone: false };
  const buffer = new Uint8Array(64);
  const port = listenFor(loop, (socket) => {
    for (let n = socket.read(buffer, 0, buffer.length); n > 0; n = socket.read(buffer, 0, buffer.length)) {
      got.reads++;
      got.bytes += n;
    }
  });
  const sockets = await Promise.all(
    Array.from(
      { length: SOCKETS },
      () =>
        new Promise<Socket>((done) => {
          const socket = connect(port, "127.0.0.1", () => done(socket.setNoDelay(true)));
        }),
    ),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const socket of sockets) socket.write("x");
    await new Promise((done) => setTimeout(done, 2));
  }
  const until = async (bytes: number): Promise<void> => {
    for (const end = performance.now() + 5000; got.bytes < bytes && performance.now() < end; )
      await new Promise((done) => setTimeout(done, 5));
  };
  await until(SOCKETS * ROUNDS);
  const { reads, bytes } = got;
  // Long after it was busy, one byte alone.
  await new Promise((done) => setTimeout(done, 3 * gather + 20));
  sockets[0]!.write("y");
  await until(bytes + 1);
  const lone = got.bytes === bytes + 1;
  for (const socket of sockets) socket.destroy();
  loop.stop();
  return { reads, bytes, lone };
}

test("input of many connections gathers, all of it arrives, and a byte alone later does, too", { skip }, async () => {
  const [at, gathered] = [await exchange(0), await exchange(20)];
  assert.deepEqual([at.bytes, gathered.bytes, at.lone, gathered.lone], [SOCKETS * ROUNDS, SOCKETS * ROUNDS, true, true]);
  assert.ok(gathered.reads < at.reads / 2, `${gathered.reads} reads instead of ${at.reads}`);
});

test("what waits for a promise that a round resolves goes on behind that round, not behind Node's next event", { skip }, async () => {
  const loop = new EpollLoop();
  loop.attach({ gather: 0 });
  let ticks = 0;
  let heard = 0;
  let late = 0;
  const buffer = new Uint8Array(64);
  const port = listenFor(loop, (socket) => {
    while (socket.read(buffer, 0, buffer.length) > 0);
    const before = ticks;
    void Promise.resolve().then(() => {
      heard++;
      if (ticks !== before) late++;
    });
  });
  // In a thread of its own, so that nothing of it is an event here.
  const talker = new Worker(
    `const socket = require("node:net").connect(${port}, "127.0.0.1", () => {
      socket.setNoDelay(true);
      setInterval(() => socket.write("x"), 7);
    });`,
    { eval: true },
  );
  await new Promise<void>((done) => {
    const interval = setInterval(() => {
      ticks++;
      if (heard < BYTES_HEARD && ticks < 500) return;
      clearInterval(interval);
      done();
    }, 20);
  });
  await talker.terminate();
  loop.stop();
  assert.ok(heard >= BYTES_HEARD, `heard ${heard}`);
  assert.equal(late, 0, `${late} of ${heard}`);
});
