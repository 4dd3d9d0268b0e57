/**
 * What idle flows cost edges: so many are opened, each says a word both ways and then nothing; resident memory before and after.
 *
 *   npm run bench:edge-idle -- [--connections N] [--flows N] [--edges N]          TCP, two descriptors of an edge each; UDP, one each
 *
 * --edges: by so many edges, equal shares each, where one process may not have as many descriptors; the memory is that of all of them.
 */
import type { ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "../../test/script-args.ts";
import { edge, end, reachable, rssBytes, startTelling, UDP_PORTS } from "./world.ts";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "0" },
    flows: { type: "string", default: "0" },
    edges: { type: "string", default: "1" },
  },
});
const SERVER = 18_400;
const EDGE = 18_522;
const AT_ONCE = 200;
const count = Number(values.edges);
const share = (text: string): number => Math.ceil(Number(text) / count);

/** What a peer's process says. */
async function peer(...args: string[]): Promise<number> {
  const child = startTelling([process.execPath, join(import.meta.dirname, "idle-peer.ts"), ...args]);
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  return Number(line);
}

/** A socket's flow at each of an edge's places; how many were answered. */
function flowsOf(socket: Socket, at: number): Promise<number> {
  const answered = new Set<number>();
  return new Promise((settle) => {
    const done = (): void => {
      clearInterval(again);
      settle(answered.size);
    };
    const ask = (): void => {
      for (let port = at; port < at + UDP_PORTS; port++) if (!answered.has(port)) socket.send("x", port, "127.0.0.1");
    };
    let left = 20;
    const again = setInterval(() => (left-- > 0 ? ask() : done()), 200);
    socket.on("error", done);
    socket.on("message", (_bytes, from) => {
      answered.add(from.port);
      if (answered.size === UDP_PORTS) done();
    });
    ask();
  });
}

async function flowsAt(at: number): Promise<number> {
  let open = 0;
  for (let i = 0; i < share(values.flows); i += AT_ONCE) {
    const sockets = Array.from({ length: AT_ONCE / UDP_PORTS }, () => createSocket("udp4"));
    for (const answered of await Promise.all(sockets.map((socket) => flowsOf(socket, at)))) open += answered;
  }
  return open;
}

function echo(at: number): Promise<unknown> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
  return new Promise<void>((settle) => socket.bind(at, "127.0.0.1", settle));
}

const memory = (all: readonly ChildProcess[]): number => all.reduce((sum, child) => sum + rssBytes(child), 0);

try {
  const pairs = Array.from({ length: count }, (_, i) => ({ server: SERVER + i, at: EDGE + i * UDP_PORTS }));
  const edges: ChildProcess[] = [];
  for (const { server, at } of pairs) {
    await Promise.all([peer("server", String(server)), echo(server)]);
    edges.push(edge(at, server, server));
    await reachable(at);
  }
  await new Promise((settle) => setTimeout(settle, 2000));
  const before = memory(edges);
  let open = 0;
  for (const { at } of pairs) open += (await peer("client", String(at), String(share(values.connections)))) + (await flowsAt(at));
  await new Promise((settle) => setTimeout(settle, 3000));
  const after = memory(edges);
  const each = (after - before) / open;
  process.stdout.write(
    `${open} idle flows, ${count} edge(s): ${(after / 1e6).toFixed(0)} MB, ${(before / 1e6).toFixed(0)} MB before; ${(each / 1000).toFixed(1)} kB each\n`,
  );
} finally {
  end();
  process.exit();
}
