import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostError } from "../base/errors.ts";
import { Pieces } from "../base/pieces.ts";
import type { Endpoint, TcpSocket } from "./loop.ts";
import { type AnyLoop, eachLoop, portOf, tcpHandler, until } from "./testing/each-loop.ts";
import { Pump } from "./testing/stream-ends.ts";

const LOCAL: Endpoint = { host: "127.0.0.1", port: 0 };
const MEGABYTES_5 = 5 << 20;

/** A listener whose connections are pumps, and one connection to it. */
function pair(loop: AnyLoop, serve: Pump, call: Pump, at: Endpoint = LOCAL): void {
  const listener = loop.listen(at, (socket) => {
    serve.socket = socket;
    setImmediate(() => serve.connected());
    return serve;
  });
  call.socket = loop.connect(listener.local, call);
}

async function exchange(loop: AnyLoop, serve: Pump, call: Pump, at: Endpoint = LOCAL): Promise<void> {
  pair(loop, serve, call, at);
  await until(() => (serve.done && call.done) || serve.failure !== undefined || call.failure !== undefined, 10_000);
  assert.deepEqual([serve.failure, call.failure], [undefined, undefined]);
  assert.equal(serve.receivedSum, call.sentSum);
  assert.equal(call.receivedSum, serve.sentSum);
  serve.socket?.close();
  call.socket?.close();
}

eachLoop("5 MB pass each way at once, through a slow reader", async (loop) => {
  const slow = new Pump(MEGABYTES_5, 1, 8);
  const fast = new Pump(MEGABYTES_5, 2);
  await exchange(loop, slow, fast);
  assert.equal(slow.received, MEGABYTES_5);
  assert.equal(fast.received, MEGABYTES_5);
  assert.ok(fast.shortWrites > 0, "the slow reader was felt");
});

eachLoop("one side may end while the other goes on: both ways", async (loop) => {
  await exchange(loop, new Pump(1 << 20, 3), new Pump(0, 4));
  await exchange(loop, new Pump(0, 5), new Pump(1 << 20, 6));
});

eachLoop("a unix socket carries the same, and its file goes with the listener", async (loop) => {
  const path = join(tmpdir(), `longhaul-${process.pid}-${Math.round(performance.now())}.sock`);
  try {
    await exchange(loop, new Pump(300_000, 7), new Pump(300_000, 8), { path });
  } finally {
    rmSync(path, { force: true });
  }
});

eachLoop("a refused connection is told later, with errno's name", async (loop) => {
  const listener = loop.listen(LOCAL, () => undefined);
  const port = portOf(listener);
  listener.close();
  const told: string[] = [];
  const closed = (_now: number, code: string): number => told.push(code);
  const handler = tcpHandler({ closed, connected: () => told.push("connected") });
  loop.connect({ host: "127.0.0.1", port }, handler);
  loop.connect({ path: join(tmpdir(), "longhaul-no-such.sock") }, handler);
  loop.connect({ host: "no literal", port }, handler);
  assert.equal(told.length, 0);
  await until(() => told.length === 3);
  assert.deepEqual(told.sort(), ["ECONNREFUSED", "EINVAL", "ENOENT"]);
});

eachLoop("a connection that is closed before it was established says nothing", async (loop) => {
  const told: string[] = [];
  const handler = tcpHandler({ connected: () => told.push("connected"), closed: (_now, code) => told.push(code) });
  const listener = loop.listen(LOCAL, () => tcpHandler());
  loop.connect(listener.local as { host: string; port: number }, handler).close();
  loop.connect({ host: "127.0.0.1", port: 1 }, handler).reset();
  await new Promise((settle) => setTimeout(settle, 20));
  assert.deepEqual(told, []);
});

eachLoop("a reset reaches the peer as ECONNRESET", async (loop) => {
  let served: TcpSocket | undefined;
  const listener = loop.listen(LOCAL, (socket) => {
    served = socket;
    return tcpHandler();
  });
  const told: string[] = [];
  loop.connect(listener.local, tcpHandler({ connected: () => told.push("connected"), closed: (_now, code) => told.push(code) }));
  await until(() => served !== undefined && told.length === 1);
  served?.reset();
  await until(() => told.length === 2);
  assert.deepEqual(told, ["connected", "ECONNRESET"]);
});

eachLoop("50 connections at once are accepted, those not wanted are reset", async (loop) => {
  let asked = 0;
  const listener = loop.listen(LOCAL, () => (asked++ % 2 === 0 ? tcpHandler() : undefined));
  let connected = 0;
  const told: string[] = [];
  for (let i = 0; i < 50; i++) {
    loop.connect(listener.local, tcpHandler({ connected: () => connected++, closed: (_now, code) => told.push(code) }));
  }
  await until(() => asked === 50 && told.length === 25);
  assert.ok(told.every((code) => code === "ECONNRESET"));
  // Who was reset before it looked has never been connected, as far as it can tell.
  assert.ok(connected >= 25);
  assert.equal(loop.counters.accepted, 25);
  assert.equal(loop.counters.acceptRefused, 25);
});

eachLoop("what was written before close is delivered, though the peer's bytes were never read", async (loop) => {
  const farewell = Buffer.from("farewell".repeat(1000));
  const heard: Buffer[] = [];
  let failure: string | undefined;
  let ended = false;
  const listener = loop.listen(LOCAL, (socket) => {
    const handler = tcpHandler({
      readable: () => {
        assert.equal(socket.write(farewell, 0, farewell.length), farewell.length);
        socket.close();
      },
    });
    return handler;
  });
  const caller: TcpSocket = loop.connect(
    listener.local,
    tcpHandler({
      connected: () => caller.write(Buffer.alloc(100_000), 0, 100_000),
      readable: () => {
        const bytes = Buffer.alloc(65_536);
        for (let n = caller.read(bytes, 0, bytes.length); n !== 0; n = caller.read(bytes, 0, bytes.length)) {
          if (n < 0) {
            ended = true;
            caller.close();
            return;
          }
          heard.push(Buffer.from(bytes.subarray(0, n)));
        }
      },
      closed: (_now, code) => {
        failure = code;
      },
    }),
  );
  await until(() => ended || failure !== undefined);
  assert.equal(failure, undefined);
  assert.deepEqual(Buffer.concat(heard), farewell);
  await until(() => loop.counters.lingering === 0);
  assert.equal(loop.counters.lingerCut, 0);
});

eachLoop("an address in use is refused with errno's name", async (loop) => {
  const taken = loop.listen(LOCAL, () => undefined);
  const refused = (error: unknown): boolean => error instanceof HostError && error.code === "EADDRINUSE";
  assert.throws(() => loop.listen({ host: "127.0.0.1", port: portOf(taken) }, () => undefined), refused);
});

eachLoop("a listener on :: takes both families and names its callers", async (loop) => {
  const callers: string[] = [];
  const listener = loop.listen({ host: "::", port: 0 }, (socket) => {
    callers.push(socket.remote.replace(/:\d+$/, ""));
    return tcpHandler();
  });
  for (const host of ["127.0.0.1", "::1"]) loop.connect({ host, port: portOf(listener) }, tcpHandler());
  await until(() => callers.length === 2);
  assert.deepEqual(callers.sort(), ["127.0.0.1", "[::1]"]);
});

eachLoop("bytes are written from pieces and read into pieces, in order, as far as there is room", async (loop) => {
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i);
  const out = new Pieces(3);
  out.bytes = bytes;
  for (const [start, end] of [
    [0, 10],
    [100, 1100],
    [2000, 2999],
  ] as const)
    out.add(start, end);
  const into = new Pieces(3);
  into.bytes = new Uint8Array(4000).fill(0xee);
  for (const [start, end] of [
    [5, 6],
    [10, 1500],
    [2000, 4000],
  ] as const)
    into.add(start, end);
  let read = 0;
  let written = 0;
  const answers: number[] = [];
  let socket: TcpSocket | undefined;
  const listener = loop.listen(LOCAL, (accepted) => {
    const readable = (): void => {
      for (let n = accepted.readv(into); n !== 0; n = accepted.readv(into)) {
        answers.push(n);
        if (n < 0) return;
        read += n;
        into.consume(n);
      }
    };
    return tcpHandler({ readable });
  });
  const connected = (): void => {
    written = socket!.writev(out);
    socket!.shutdown();
  };
  socket = loop.connect(listener.local, tcpHandler({ connected }));
  await until(() => answers.at(-1) === -1);
  assert.equal(written, 2009);
  assert.equal(read, 2009);
  const expected = [...bytes.subarray(0, 10), ...bytes.subarray(100, 1100), ...bytes.subarray(2000, 2999)];
  assert.deepEqual([...into.bytes.subarray(5, 6), ...into.bytes.subarray(10, 1500), ...into.bytes.subarray(2000, 2518)], expected);
  assert.deepEqual([...into.bytes.subarray(6, 10), into.bytes[1500], into.bytes[2518]], [0xee, 0xee, 0xee, 0xee, 0xee, 0xee]);
});
