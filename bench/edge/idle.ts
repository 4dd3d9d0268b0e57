/**
 * What idle connections cost an edge: so many are opened, each says a word both ways and then nothing; resident memory before and after.
 *
 *   npm run bench:edge-idle -- [--connections N]
 */
import { connect, createServer } from "node:net";
import { parseArgs } from "node:util";
import { edge, end, reachable, rssBytes } from "./world.ts";

const { values } = parseArgs({ options: { connections: { type: "string", default: "20000" } } });
const SERVER = 18_511;
const EDGE = 18_512;
const AT_ONCE = 200;

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => socket.write(bytes));
});
await new Promise<void>((settle) => server.listen(SERVER, "127.0.0.1", 1024, settle));
try {
  const child = edge(EDGE, SERVER, SERVER);
  await reachable(EDGE);
  await new Promise((settle) => setTimeout(settle, 2000));
  const before = rssBytes(child);
  let open = 0;
  // Several source addresses: one has no more than 28,000 ports.
  const one = (i: number): Promise<void> =>
    new Promise((settle) => {
      const socket = connect({ port: EDGE, host: "127.0.0.1", localAddress: `127.0.1.${(i % 200) + 1}` });
      socket.on("connect", () => socket.write("x"));
      socket.once("data", () => {
        open++;
        settle();
      });
      socket.on("error", () => settle());
    });
  for (let i = 0; i < Number(values.connections); i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => one(i + k)));
  await new Promise((settle) => setTimeout(settle, 3000));
  const after = rssBytes(child);
  const each = (after - before) / open;
  process.stdout.write(
    `${open} idle connections: ${(after / 1e6).toFixed(0)} MB, ${(before / 1e6).toFixed(0)} MB before; ${(each / 1000).toFixed(1)} kB each\n`,
  );
} finally {
  end();
  process.exit();
}
