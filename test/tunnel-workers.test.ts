/** Option workers of the two programs, over loopback: load spreads over threads, a session stays on one, what is told is told of all. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { shareOf, workersOf } from "../src/cli/workers.ts";
import { chooseIo } from "../src/host/choose.ts";
import { clientConfig, serverConfig } from "../src/tunnel/config.ts";
import { Children, longhaul, sleep, waitFor } from "./interop/children.ts";

const children = new Children();
const file = (name: string): string => join(children.folder, name);
const skip = chooseIo("auto").kind === "node" ? "threads share ports on epoll only" : false;

async function freePorts(): Promise<readonly [udp: number, tcp: number]> {
  const udp = createSocket("udp4");
  await new Promise<void>((done) => udp.bind(0, "127.0.0.1", done));
  const tcp = createServer();
  await new Promise<void>((done) => tcp.listen(0, "127.0.0.1", done));
  const ports = [udp.address().port, (tcp.address() as AddressInfo).port] as const;
  await new Promise<void>((done) => udp.close(done));
  await new Promise((done) => tcp.close(done));
  return ports;
}

/** Sends `bytes` bytes and answers whether they came back. */
function echoed(at: number | string, bytes: number): Promise<boolean> {
  return new Promise((done) => {
    const sent = Buffer.alloc(bytes, String(bytes));
    const got: Buffer[] = [];
    const socket = typeof at === "number" ? connect(at, "127.0.0.1") : connect(at);
    socket.on("connect", () => socket.end(sent));
    socket.on("data", (data: Buffer) => got.push(data));
    socket.on("end", () => done(Buffer.concat(got).equals(sent)));
    socket.on("error", () => done(false));
  });
}

function status(socketPath: string): Promise<{ sessions: { key: string }[] }> {
  return new Promise((done, fail) => {
    request({ socketPath, path: "/status" }, (response) => {
      let text = "";
      response.on("data", (data) => {
        text += data;
      });
      response.on("end", () => done(JSON.parse(text)));
    })
      .on("error", fail)
      .end();
  });
}

test("workers: sessions spread over the threads of both ends, none is split, counters are sums, a signal stops all", { skip }, async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((done) => echo.listen(file("target"), done));
  const [wan, lan] = await freePorts();
  const end = (role: string, ...more: string[]): ReturnType<Children["start"]> =>
    children.start(role, [longhaul, role, "--key", "k", "--workers", "3", "--statussocket", file(role), ...more]);
  const server = end("server", "-l", `127.0.0.1:${wan}`, "-t", file("target"));
  const client = end("client", "-r", `127.0.0.1:${wan}`, "-l", `127.0.0.1:${lan}`, "--conn", "8");
  try {
    for (const child of [server, client]) for (let i = 0; i < 3; i++) await waitFor(child, "listening");
    for (let tries = 100; tries > 0 && client.output().split("listening").length < 4; tries--) await sleep(50);
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => echoed(lan, 20_000 + round * 16 + i)));
      assert.ok(answers.every(Boolean), `${answers.filter(Boolean).length} of 16 answered`);
    }
    for (let tries = 100; tries > 0 && !["server", "client"].every((name) => existsSync(file(name))); tries--) await sleep(50);
    const [far, near] = await Promise.all([status(file("server")), status(file("client"))]);
    const threads = (sessions: readonly { key: string }[]): number => new Set(sessions.map(({ key }) => key.split(".")[0])).size;
    assert.equal(far.sessions.length, near.sessions.length, "as many sessions at the server as clients have made");
    assert.ok(near.sessions.length > 8 && threads(near.sessions) >= 2, `client: ${near.sessions.map(({ key }) => key)}`);
    assert.ok(threads(far.sessions) >= 2, `server: ${far.sessions.map(({ key }) => key)}`);
    server.process.kill("SIGUSR1");
    await waitFor(server, "counters of this process");
    await sleep(200);
    const lines = server
      .output()
      .split("\n")
      .filter((line) => line.includes("counters of this process"));
    assert.deepEqual([lines.length, JSON.parse(lines[0]!).PassiveOpens], [1, far.sessions.length]);
    server.process.kill("SIGTERM");
    assert.equal(await server.exited, 0);
  } finally {
    await children.endAll();
    echo.close();
  }
});

test("workers: what several threads cannot do is said in a sentence", { skip }, () => {
  const client =
    (more: object): (() => number) =>
    () =>
      workersOf({ role: "client", config: clientConfig.parse({ workers: 2, ...more }) });
  const server =
    (more: object): (() => number) =>
    () =>
      workersOf({ role: "server", config: serverConfig.parse({ workers: 2, ...more }) });
  assert.deepEqual([client({})(), server({})(), server({ workers: 1, listen: ":0" })()], [2, 2, 1]);
  assert.ok(server({ workers: 0 })() >= 1, "0 is one for each processor");
  assert.throws(server({ io: "node" }), /--workers: 2 are not allowed on Node's own sockets, .*; give 1/);
  assert.throws(server({ listen: "127.0.0.1:0" }), /--workers: .* any free port/);
  assert.throws(server({ reverse: ["web=:0"] }), /--workers: .* any free port/);
  const users = [{ name: "ann", key: "k", rateup: 5000 }];
  assert.deepEqual([client({ localaddr: "/tmp/x", reverse: ["a=b:1"] })(), server({ users, reverse: ["web=:8080"] })()], [2, 2]);
});

test("workers: what one thread alone can do, the first does", () => {
  const given = clientConfig.parse({ localaddr: "/tmp/x", forward: [":8080=web", "tcp:/tmp/y=web"], reverse: ["a=b:1"] });
  const [first, second] = [0, 1].map((index) => shareOf({ role: "client", config: given }, 2, index).config as typeof given);
  assert.deepEqual([first!.localaddr, first!.forward, first!.reverse], [given.localaddr, given.forward, given.reverse]);
  assert.deepEqual([second!.localaddr, second!.forward, second!.reverse], ["", [":8080=web"], []]);
});

test("workers: users' limits and quotas over threads and, by option state, over a restart; a unix socket before them", {
  skip,
}, async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await new Promise<void>((done) => echo.listen(file("target2"), done));
  const [wan] = await freePorts();
  const users = file("users.json");
  writeFileSync(users, JSON.stringify([{ name: "ann", key: "a", quota: 300_000 }]));
  const start = (name: string): ReturnType<Children["start"]> =>
    children.start(name, [
      ...[longhaul, "server", "-l", `127.0.0.1:${wan}`, "-t", file("target2"), "--workers", "2", "--statussocket", "none"],
      ...["--users", users, "--state", file("state.json")],
    ]);
  const used = (): { received: number; sent: number } => JSON.parse(readFileSync(file("state.json"), "utf8")).users.ann;
  try {
    const server = start("server2");
    const client = children.start("client2", [
      ...[longhaul, "client", "-r", `127.0.0.1:${wan}`, "-l", file("app"), "--key", "a", "--workers", "2", "--conn", "4"],
      ...["--statussocket", "none"],
    ]);
    for (const child of [server, client]) await waitFor(child, "listening");
    // Both threads of both: the one that has the unix socket may be the later one.
    const bound = (): boolean => [server, client].every((child) => child.output().split("listening").length >= 3);
    for (let tries = 200; tries > 0 && !bound(); tries--) await sleep(50);
    const answers = await Promise.all(Array.from({ length: 4 }, (_, i) => echoed(file("app"), 40_000 + i)));
    assert.ok(answers.every(Boolean), `${answers} of connections to the unix socket`);
    server.process.kill("SIGTERM");
    assert.equal(await server.exited, 0);
    const { received, sent } = used();
    assert.ok(received === 160_006 && sent === 160_006, JSON.stringify(used()));
    const again = start("server3");
    await waitFor(again, "listening");
    // A connection, so that the client says something before its keepalive would.
    const refused = echoed(file("app"), 1);
    await waitFor(again, "the user's quota are used up");
    again.process.kill("SIGTERM");
    assert.equal(await again.exited, 0);
    assert.deepEqual(used(), { received, sent });
    await children.endAll();
    assert.equal(await refused, false);
  } finally {
    await children.endAll();
    echo.close();
  }
});
