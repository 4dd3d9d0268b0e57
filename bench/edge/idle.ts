/**
 * What idle flows cost an edge: so many are opened, each says a word both ways and then nothing; resident memory before and after.
 *
 *   npm run bench:edge-idle -- [--connections N] [--flows N]          TCP, two descriptors of the edge each; UDP, one each
 */
import { createSocket, type Socket } from "node:dgram";
import { connect, createServer } from "node:net";
import { parseArgs } from "node:util";
import { edge, end, reachable, rssBytes, UDP_PORTS } from "./world.ts";

const { values } = parseArgs({ options: { connections: { type: "string", default: "0" }, flows: { type: "string", default: "0" } } });
const SERVER = 18_511;
const EDGE = 18_522;
const AT_ONCE = 200;

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => socket.write(bytes));
});
await new Promise<void>((settle) => server.listen(SERVER, "127.0.0.1", 1024, settle));
const echo = createSocket("udp4");
echo.on("message", (bytes, from) => echo.send(bytes, from.port, from.address));
await new Promise<void>((settle) => echo.bind(SERVER, "127.0.0.1", settle));

// Several source addresses: one has no more than 28,000 ports.
function connection(i: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ port: EDGE, host: "127.0.0.1", localAddress: `127.0.1.${(i % 200) + 1}` });
    socket.on("connect", () => socket.write("x"));
    socket.once("data", () => settle(true));
    socket.on("error", () => settle(false));
  });
}

/** A socket's flow at each of the edge's places; how many were answered. */
function flowsOf(socket: Socket): Promise<number> {
  const answered = new Set<number>();
  return new Promise((settle) => {
    const done = (): void => {
      clearInterval(again);
      settle(answered.size);
    };
    const ask = (): void => {
      for (let port = EDGE; port < EDGE + UDP_PORTS; port++) if (!answered.has(port)) socket.send("x", port, "127.0.0.1");
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

try {
  const child = edge(EDGE, SERVER, SERVER);
  await reachable(EDGE);
  await new Promise((settle) => setTimeout(settle, 2000));
  const before = rssBytes(child);
  let open = 0;
  for (let i = 0; i < Number(values.connections); i += AT_ONCE)
    open += (await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => connection(i + k)))).filter(Boolean).length;
  for (let i = 0; i < Number(values.flows); i += AT_ONCE) {
    const sockets = Array.from({ length: AT_ONCE / UDP_PORTS }, () => createSocket("udp4"));
    for (const count of await Promise.all(sockets.map(flowsOf))) open += count;
  }
  await new Promise((settle) => setTimeout(settle, 3000));
  const after = rssBytes(child);
  const each = (after - before) / open;
  process.stdout.write(
    `${open} idle flows: ${(after / 1e6).toFixed(0)} MB, ${(before / 1e6).toFixed(0)} MB before; ${(each / 1000).toFixed(1)} kB each\n`,
  );
} finally {
  end();
  process.exit();
}
