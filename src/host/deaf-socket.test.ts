/** Sockets that hear nothing, on loopback: no right is needed for them. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { DeafSocket } from "./deaf-socket.ts";
import { HandshakeSocket } from "./handshake-socket.ts";
import { EpollLoop } from "./loop-epoll.ts";

const host = "127.0.0.1";
const available = process.platform === "linux";

/** Bytes that the kernel has sent from one port of loopback to another and that nobody has acknowledged. */
function unacknowledged(from: number, to: number): number {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const line = lines.find((text) => text.includes(`0100007F:${hex(from)} 0100007F:${hex(to)}`)) ?? "";
  return Number.parseInt(line.trim().split(/\s+/)[4]?.split(":")[0] ?? "", 16);
}

/** How a connection attempt ends within some time. */
function attempt(port: number, ms: number): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, host);
    const timer = setTimeout(() => {
      socket.destroy();
      done("nothing");
    }, ms);
    const end = (what: string) => () => {
      clearTimeout(timer);
      socket.destroy();
      done(what);
    };
    socket.on("connect", end("connected")).on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "")());
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

test("a deaf TCP port neither connects nor refuses, is nobody else's, and is free again when it is closed", {
  skip: !available,
}, async () => {
  const port = await freePort();
  const loop = new EpollLoop();
  assert.equal(await attempt(port, 500), "ECONNREFUSED");
  const deaf = new DeafSocket(loop, "tcp", { host, port });
  assert.equal(await attempt(port, 100), "nothing");
  assert.throws(() => new DeafSocket(loop, "tcp", { host, port }), /EADDRINUSE/);
  deaf.close();
  assert.equal(await attempt(port, 500), "ECONNREFUSED");
  loop.stop();
});

test("a deaf UDP port draws no ICMP error", { skip: !available }, async () => {
  const port = await freePort();
  const loop = new EpollLoop();
  const refused = async (): Promise<boolean> => {
    const socket = createSocket("udp4");
    let seen = false;
    socket.on("error", () => (seen = true));
    await new Promise<void>((done) => socket.connect(port, host, done));
    for (let i = 0; i < 10 && !seen; i++) {
      socket.send("x", () => undefined);
      await new Promise((done) => setTimeout(done, 5));
    }
    socket.close();
    return seen;
  };
  const deaf = new DeafSocket(loop, "udp", { host, port });
  assert.equal(await refused(), false);
  deaf.close();
  loop.stop();
});

test("a handshake stands and says nothing more; one with a closed port fails", { skip: !available }, async () => {
  const loop = new EpollLoop();
  loop.attach();
  const server = createServer().listen(0, host);
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((done) => server.once("connection", done));
  const dial = (to: number) => {
    let socket: HandshakeSocket | undefined;
    const outcome = new Promise<string>((done) => {
      socket = new HandshakeSocket(loop, { host, port: 0 }, { standing: () => done("standing"), failed: (_now, code) => done(code) });
      socket.connect({ host, port: to });
    });
    return { outcome, socket: socket! };
  };
  const { outcome, socket } = dial(port);
  assert.equal(await outcome, "standing");
  const far = await accepted;
  assert.equal(far.remotePort, socket.local.port);
  far.on("error", () => undefined);
  far.write("unheard");
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(unacknowledged(port, socket.local.port), "unheard".length);
  socket.close();
  far.destroy();
  await new Promise((done) => server.close(done));
  assert.equal(await dial(port).outcome, "ECONNREFUSED");
  loop.stop();
});
