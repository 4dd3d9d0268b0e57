/**
 * `longhaul/net` with Debian's kcptun: the library as a client of kcptun-server and as a server for kcptun-client. Streams at once, BYTES each way,
 * every byte checked, without loss and over an emulated link of 20 ms and 5 % loss each way; its errors; and examples/tunnel-client.ts.
 *
 *   node test/interop/library.ts [--bytes N]
 *
 * Needs Debian's package kcptun. Closes with `N passed, N failed, N skipped`.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectTcp, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as setTimeoutAsync } from "node:timers/promises";
import { UdpPath } from "../../src/demo/udp-path.ts";
import { NodeLoop } from "../../src/host/loop-node.ts";
import { type ConnectOptions, connect, createServer } from "../../src/net/index.ts";
import { freePorts } from "../package/free-ports.ts";
import { parseArgs } from "../script-args.ts";
import { Children, root, waitFor } from "./children.ts";

const { values } = parseArgs({ options: { bytes: { type: "string", default: "5000000" } } });
const bytes = Number(values.bytes);
const streamsAtOnce = 4;
/** A case that takes longer has failed; the slowest take 3 s on a machine that does nothing else. */
const CASE_MS = 60_000;
const children = new Children();
const key = "library secret";

const settings = [
  { name: "aes, FEC 10/3, smux 1, snappy", link: "", options: { crypt: "aes" }, flags: ["--crypt", "aes"] },
  { name: "aes, FEC 10/3, smux 1, snappy, 5 % loss", link: "delay=20 loss=5%", options: { crypt: "aes" }, flags: ["--crypt", "aes"] },
  {
    name: "salsa20, no FEC, smux 2, no snappy",
    link: "",
    options: { crypt: "salsa20", datashard: 0, parityshard: 0, smuxver: 2, nocomp: true },
    flags: ["--crypt", "salsa20", "--ds", "0", "--ps", "0", "--smuxver", "2", "--nocomp"],
  },
] as const satisfies readonly { name: string; link: string; options: Omit<ConnectOptions, "port" | "key">; flags: readonly string[] }[];

/** The port through which `port` is reached over the link; `port` itself without one. */
function over(link: string, port: number, using: NodeLoop): number {
  if (link === "") return port;
  const [listen, target] = [
    { host: "127.0.0.1", port: 0 },
    { host: "127.0.0.1", port },
  ];
  return new UdpPath(using, { listen, target, link, seed: 1 }).port;
}

/** Echoes; a kcptun closes a stream whole at its first end, so nobody ends before everything is back. */
async function echoServer(): Promise<[TcpServer, number]> {
  const server = createTcpServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return [server, (server.address() as { port: number }).port];
}

/** Sends `count` random bytes and takes as many back. */
async function transfer(stream: Duplex, count: number): Promise<void> {
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  const piece = randomBytes(100_000);
  let back = 0;
  const done = Promise.withResolvers<void>();
  stream.on("error", done.reject);
  stream.on("close", () => done.reject(new Error(`closed after ${back} bytes`)));
  stream.on("data", (chunk: Buffer) => {
    received.update(chunk);
    back += chunk.length;
    if (back >= count) done.resolve();
  });
  for (let left = count; left > 0; ) {
    const part = piece.subarray(0, Math.min(left, piece.length));
    sent.update(part);
    left -= part.length;
    if (!stream.write(part)) await Promise.race([once(stream, "drain"), done.promise]);
  }
  await done.promise;
  assert.equal(back, count);
  assert.equal(received.digest("hex"), sent.digest("hex"));
  stream.destroy();
}

const cases: [string, () => Promise<void>][] = settings.flatMap(({ name, link, options, flags }) => [
  [
    `client of kcptun-server, ${name}`,
    async () => {
      const [target, targetPort] = await echoServer();
      const [port = 0] = await freePorts(1);
      const argv = ["-l", `127.0.0.1:${port}`, "-t", `127.0.0.1:${targetPort}`, "--key", key, "--mode", "fast3", ...flags];
      const theirs = children.start("server", ["kcptun-server", ...argv]);
      await waitFor(theirs, "key derivation done");
      const loop = new NodeLoop();
      const to = over(link, port, loop);
      await using tunnel = connect({ host: "127.0.0.1", port: to, key, mode: "fast3", compat: "2021", ...options });
      await Promise.all(Array.from({ length: streamsAtOnce }, () => transfer(tunnel.open(), bytes / streamsAtOnce)));
      await tunnel.close();
      loop.stop();
      target.close();
    },
  ],
  [
    `server for kcptun-client, ${name}`,
    async () => {
      await using server = createServer({ key, mode: "fast3", compat: "2021", ...options }, (stream) =>
        stream.on("error", () => {}).pipe(stream),
      );
      await once(server.listen({ host: "127.0.0.1" }), "listening");
      const [local = 0] = await freePorts(1);
      const loop = new NodeLoop();
      const to = over(link, server.address()!.port, loop);
      const argv = ["-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${to}`, "--key", key, "--mode", "fast3", ...flags];
      const theirs = children.start("client", ["kcptun-client", ...argv]);
      await waitFor(theirs, "key derivation done");
      await Promise.all(Array.from({ length: streamsAtOnce }, () => transfer(connectTcp(local, "127.0.0.1"), bytes / streamsAtOnce)));
      await server.close();
      loop.stop();
    },
  ],
]);

cases.push([
  "kcptun-server dies: its streams end with a code, a stream of the next one works",
  async () => {
    const [target, targetPort] = await echoServer();
    const [port = 0] = await freePorts(1);
    const argv = ["kcptun-server", "-l", `127.0.0.1:${port}`, "-t", `127.0.0.1:${targetPort}`, "--key", key];
    const first = children.start("server", argv);
    await waitFor(first, "key derivation done");
    await using tunnel = connect({ host: "127.0.0.1", port, key, compat: "2021" });
    const stream = tunnel.open();
    stream.write("x");
    await once(stream, "data");
    first.process.kill("SIGKILL");
    await first.exited;
    await waitFor(children.start("server", argv), "key derivation done");
    stream.write("y");
    const [error] = await once(stream, "error");
    assert.equal(error.code, "ECONNRESET");
    await transfer(tunnel.open(), 10_000);
    target.close();
  },
]);

cases.push([
  "examples/tunnel-client.ts through kcptun-server",
  async () => {
    const [target, targetPort] = await echoServer();
    const [port = 0] = await freePorts(1);
    const theirs = children.start("server", ["kcptun-server", "-l", `127.0.0.1:${port}`, "-t", `127.0.0.1:${targetPort}`, "--key", key]);
    await waitFor(theirs, "key derivation done");
    const example = [process.execPath, "--conditions=longhaul:source", `${root}/examples/tunnel-client.ts`, "127.0.0.1", String(port), key];
    // The terminal goes when the answer is there: a kcptun closes a stream whole at its first end.
    const answered = `${children.folder}/answered`;
    const typing = '{ echo typed; until [ -e "$0" ]; do sleep 0.1; done; } | "$@"';
    const client = children.start("example", ["sh", "-c", typing, answered, ...example]);
    await waitFor(client, "typed\n");
    writeFileSync(answered, "");
    assert.equal(await client.exited, 0);
    assert.equal(client.output(), "typed\n");
    target.close();
  },
]);

let [passed, failed, skipped] = [0, 0, 0];
try {
  execFileSync("kcptun-client", ["-v"], { stdio: "ignore" });
} catch {
  skipped = cases.length;
  console.log("skipped: Debian's package kcptun is not installed");
}
if (skipped === 0) {
  try {
    for (const [name, run] of cases) {
      const started = performance.now();
      const late = setTimeoutAsync(CASE_MS, undefined, { ref: false }).then(() =>
        Promise.reject(new Error(`not done after ${CASE_MS} ms`)),
      );
      const outcome = await Promise.race([run(), late]).then(
        () => "ok    ",
        (error: Error) => `FAILED ${error.stack}`,
      );
      if (outcome === "ok    ") passed++;
      else failed++;
      console.log(`${outcome} ${name}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }
  } finally {
    await children.endAll();
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
// What failed in the midst of it leaves sockets open.
process.exit(failed === 0 ? 0 : 1);
