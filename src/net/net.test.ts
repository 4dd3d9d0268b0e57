import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { afterEach, test } from "node:test";
import { ConfigError } from "../base/errors.ts";
import { UdpPath } from "../demo/udp-path.ts";
import { NodeLoop } from "../host/loop-node.ts";
import type { ConnectOptions, ServerOptions } from "./options.ts";
import { createServer, type Server } from "./server.ts";
import { connect, type Tunnel } from "./tunnel.ts";
import { TunnelError } from "./tunnel-error.ts";
import type { TunnelStream } from "./tunnel-stream.ts";

const key = "net test";
const limit = { timeout: 20_000 };
const opened: (Tunnel | Server)[] = [];

afterEach(() => {
  for (const end of opened.splice(0)) end.destroy();
});

async function listening(listener: (stream: TunnelStream) => void, options: Partial<ServerOptions> = {}): Promise<[Server, number]> {
  const server = createServer({ key, crypt: "none", mode: "fast3", ...options }, listener).listen({ host: "127.0.0.1" });
  opened.push(server);
  await once(server, "listening");
  return [server, server.address()!.port];
}

function dial(port: number, options: Partial<ConnectOptions> = {}): Tunnel {
  const tunnel = connect({ host: "127.0.0.1", port, key, crypt: "none", mode: "fast3", ...options });
  opened.push(tunnel);
  return tunnel;
}

test("a megabyte there and back, over two streams at once", limit, async () => {
  const [, port] = await listening((stream) => stream.pipe(stream));
  const tunnel = dial(port);
  await Promise.all(
    [1, 2].map(async () => {
      const sent = randomBytes(1 << 20);
      const stream = tunnel.open();
      stream.end(sent);
      assert.ok(sent.equals(await buffer(stream)));
      assert.equal(stream.bytesRead, sent.length);
      assert.equal(stream.bytesWritten, sent.length);
    }),
  );
});

test("on Node's own datagram sockets too, where system calls are not to be had", limit, async () => {
  process.env.LONGHAUL_IO = "node";
  try {
    const [, port] = await listening((stream) => stream.pipe(stream));
    const stream = dial(port).open();
    stream.end(Buffer.alloc(300_000));
    assert.equal((await buffer(stream)).length, 300_000);
  } finally {
    delete process.env.LONGHAUL_IO;
  }
});

test("half close: the answer comes after our end", limit, async () => {
  const [, port] = await listening(
    (stream) => {
      stream.resume();
      stream.once("end", () => stream.end(`${stream.bytesRead} bytes`));
    },
    { allowHalfOpen: true },
  );
  const stream = dial(port).open();
  stream.end(Buffer.alloc(100_000));
  assert.equal((await buffer(stream)).toString(), "100000 bytes");
});

test("without half open, as by default, the other end's end ends our side", limit, async () => {
  const [, port] = await listening((stream) => stream.resume());
  const stream = dial(port).open();
  stream.end("x");
  stream.resume();
  await once(stream, "close");
});

test("who does not read stops the sender, within the windows; who reads again gets everything", limit, async () => {
  const arrival = Promise.withResolvers<TunnelStream>();
  const streambuf = 65_536;
  const [, port] = await listening(arrival.resolve, { streambuf });
  const stream = dial(port, { sndwnd: 32 }).open();
  const piece = Buffer.alloc(16_384, 7);
  stream.write(piece);
  const reader = await arrival.promise;
  let given = piece.length;
  // Written until half a second goes by without 'drain'.
  for (let stalls = 0; stalls < 5; ) {
    if (!stream.writableNeedDrain) {
      stream.write(piece);
      given += piece.length;
      stalls = 0;
    } else {
      await new Promise((later) => setTimeout(later, 100));
      if (stream.writableNeedDrain) stalls++;
    }
  }
  // Up to 256 KiB of smux's first window, 42 KiB of KCP's, 64 KiB with the writer and 128 KiB with the reader.
  assert.ok(given < 1 << 20, `${given} bytes were taken while nobody read`);
  assert.ok(reader.readableLength < 2 * reader.readableHighWaterMark, `${reader.readableLength} bytes wait with the reader`);
  stream.end();
  assert.equal((await buffer(reader)).length, given);
});

test("close waits for what was written; then the process holds nothing", limit, async () => {
  const arrival = Promise.withResolvers<TunnelStream>();
  const [server, port] = await listening(arrival.resolve);
  const tunnel = dial(port);
  const stream = tunnel.open();
  stream.end(randomBytes(500_000));
  stream.resume();
  const received = arrival.promise.then(buffer);
  await tunnel.close();
  assert.equal((await received).length, 500_000);
  assert.equal(tunnel.destroyed, true);
  await server.close();
  assert.equal(server.address(), null);
  const [late] = await once(tunnel.open(), "error");
  assert.equal(late.code, "ECONNABORTED");
});

test("a server's close waits until lost packets were sent again and acknowledged", limit, async () => {
  const sent = randomBytes(200_000);
  const [server, port] = await listening((stream) => stream.resume().once("end", () => stream.end(sent)), {
    ...{ allowHalfOpen: true, datashard: 0, parityshard: 0, nocomp: true },
  });
  const loop = new NodeLoop();
  const [listen, target] = [
    { host: "127.0.0.1", port: 0 },
    { host: "127.0.0.1", port },
  ];
  const path = new UdpPath(loop, { listen, target, link: "delay=5 loss=20%", seed: 1 });
  const stream = dial(path.port, { datashard: 0, parityshard: 0, nocomp: true }).open();
  const received = buffer(stream);
  stream.end();
  await once(server, "connection");
  await server.close();
  const all = (await received).equals(sent);
  loop.stop();
  assert.ok(all);
});

test("destroying one end ends the other, and leaves its neighbours alone", limit, async () => {
  const streams: TunnelStream[] = [];
  const [server, port] = await listening((stream) => streams.push(stream.on("data", () => {})));
  const tunnel = dial(port);
  const [doomed, other] = [tunnel.open(), tunnel.open()];
  doomed.write("a");
  other.write("b");
  while (streams.length < 2) await once(server, "connection");
  doomed.destroy();
  await once(streams[0]!, "close");
  assert.equal(streams[1]!.destroyed, false);
  streams[1]!.end("still here");
  assert.equal((await buffer(other)).toString(), "still here");
  while (tunnel.streams > 0) await new Promise(setImmediate);
});

test("signals abort a stream, a tunnel and a server", limit, async () => {
  const [server, port] = await listening((stream) => stream.on("error", () => {}));
  const tunnel = dial(port);
  const abortStream = new AbortController();
  const stream = tunnel.open({ signal: abortStream.signal });
  stream.write("x");
  abortStream.abort();
  const [error] = await once(stream, "error");
  assert.equal(error.name, "AbortError");

  const abortTunnel = new AbortController();
  const second = dial(port, { signal: abortTunnel.signal });
  const carried = second.open();
  const failed = once(carried, "error");
  abortTunnel.abort();
  assert.equal((await failed)[0].name, "AbortError");
  assert.equal(second.destroyed, true);
  assert.throws(() => dial(port, { signal: abortTunnel.signal }), { name: "AbortError" });

  const abortServer = new AbortController();
  const third = createServer({ key }).listen({ host: "127.0.0.1", signal: abortServer.signal });
  await once(third, "listening");
  abortServer.abort();
  await once(third, "close");
  assert.equal(server.connections, 0);
});

test("no answer: ETIMEDOUT after connectTimeout; another key is no answer", limit, async () => {
  const [, port] = await listening(() => assert.fail("a stranger got in"));
  const stream = dial(port, { key: "another key", crypt: "aes", connectTimeout: 300 }).open();
  stream.write("x");
  const [error] = await once(stream, "error");
  assert.ok(error instanceof TunnelError);
  assert.equal(error.code, "ETIMEDOUT");
  assert.match(error.message, /no answer from 127\.0\.0\.1:\d+ for 300 ms/);
});

test("a name without address: ENOTFOUND", limit, async () => {
  const [error] = await once(dial(1, { host: "no-such-name.invalid" }).open(), "error");
  assert.equal(error.code, "ENOTFOUND");
});

test("as many streams as maxConnections; the next is dropped and the client's ends", limit, async () => {
  let taken = 0;
  const [server, port] = await listening(() => taken++, { maxConnections: 1 });
  const tunnel = dial(port);
  const dropped = once(server, "drop");
  tunnel.open().write("a");
  await once(server, "connection");
  const refused = tunnel.open();
  refused.write("b");
  refused.resume();
  await dropped;
  await once(refused, "close");
  assert.equal(taken, 1);
});

test("streams beyond option streams: ECONNREFUSED", limit, async () => {
  const [, port] = await listening(() => {});
  const tunnel = dial(port, { streams: 1 });
  tunnel.open();
  const [error] = await once(tunnel.open(), "error");
  assert.equal(error.code, "ECONNREFUSED");
});

test("an idle stream says 'timeout' and goes on", limit, async () => {
  const [, port] = await listening((stream) => stream.pipe(stream));
  const stream = dial(port).open();
  stream.setTimeout(30);
  await once(stream, "timeout");
  stream.write("x");
  assert.equal(String((await once(stream, "data"))[0]), "x");
});

test("an address in use is an 'error' with its code", limit, async () => {
  const [, port] = await listening(() => {});
  const server = createServer({ key }).listen({ host: "127.0.0.1", port });
  assert.equal((await once(server, "error"))[0].code, "EADDRINUSE");
  assert.equal(server.address(), null);
});

test("wrong options name the key, what was given and what is allowed", () => {
  const sentence = (options: object): string => {
    try {
      connect({ port: 1, key, ...options });
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.message;
    }
    assert.fail("taken");
  };
  assert.match(sentence({ mtu: 20 }), /^mtu: "20" is not allowed; give a whole number from 64 to 1500/);
  assert.match(sentence({ crypt: "rot13" }), /^crypt: "rot13" is not allowed; give one of aes/);
  assert.match(sentence({ key: "" }), /^key: nothing given/);
  assert.match(sentence({ port: 70_000 }), /70000/);
  assert.match(sentence({ highWaterMark: 0 }), /^highWaterMark: /);
  assert.match(sentence({ mtuu: 1 }), /mtuu/);
  assert.match(sentence({ forward: [":1=web"] }), /^forward: an option of longhaul's programs/);
});

test("compat 2021 brings that kcptun's own smux version", limit, async () => {
  const [, port] = await listening((stream) => stream.pipe(stream));
  const lines: string[] = [];
  const note = (_facts: object, text: string): void => void lines.push(`${text} ${JSON.stringify(_facts)}`);
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const server = createServer({ key, crypt: "none", log }, (stream) => stream.pipe(stream)).listen({ host: "127.0.0.1" });
  opened.push(server);
  await once(server, "listening");
  assert.notEqual(port, server.address()!.port);
  const stream = dial(server.address()!.port, { compat: "2021" }).open();
  stream.end("x");
  assert.equal((await buffer(stream)).toString(), "x");
  assert.ok(
    lines.some((line) => line.startsWith("client's settings found") && line.includes('"smux":1')),
    lines.join("\n"),
  );
});

test("targets by name: a stream says which was asked for; another name is refused, and says why", limit, async () => {
  const [, port] = await listening((stream) => stream.end(`${stream.target || "the default"} of ${stream.user || "all"}`), {
    targets: ["metrics", "shell"],
  });
  const tunnel = dial(port);
  const text = async (target?: string): Promise<string> => String(await buffer(tunnel.open(target === undefined ? {} : { target }).end()));
  assert.deepEqual(await Promise.all([text(), text("metrics"), text("shell")]), ["the default of all", "metrics of all", "shell of all"]);
  const refused = tunnel.open({ target: "nothing" });
  const [error] = (await once(refused, "error")) as [TunnelError];
  assert.equal(error.code, "ECONNRESET");
  assert.match(error.message, /"nothing" is not a target/);
});

test("users: each has a key and limits of its own, a stream says whose it is; without a key there must be users", limit, async () => {
  const users = [
    { name: "ann", key: "ann's" },
    { name: "bob", key: "bob's", targets: ["shell"] },
  ];
  const server = createServer({ users, targets: ["metrics", "shell"], mode: "fast3" }, (stream) =>
    stream.end(`${stream.target} ${stream.user}`),
  );
  opened.push(server);
  await once(server.listen({ host: "127.0.0.1" }), "listening");
  const { port } = server.address()!;
  const as = (of: string): Tunnel => {
    const tunnel = connect({ host: "127.0.0.1", port, key: of, mode: "fast3" });
    opened.push(tunnel);
    return tunnel;
  };
  const [ann, bob] = [as("ann's"), as("bob's")];
  const text = async (tunnel: Tunnel, target: string): Promise<string> => String(await buffer(tunnel.open({ target }).end()));
  assert.deepEqual(await Promise.all([text(ann, "metrics"), text(bob, "shell")]), ["metrics ann", "shell bob"]);
  await assert.rejects(text(bob, "metrics"), /not one of the user's targets/);
  assert.throws(() => createServer({}), /key: nothing given/);
  assert.throws(() => createServer({ key: "k", users }), /^ConfigError: key: not allowed together with --users/);
  assert.throws(() => createServer({ users: [{ name: "a b", key: "k" }] }), /^ConfigError: users: users\[0\]\.name: "a b" is not allowed/);
});
