/**
 * One end of idle connections, in a process of its own, since each has a descriptor for every one of them: `idle-peer.ts server PORT` answers what is said to
 * it, `idle-peer.ts client PORT COUNT` opens so many, says a word by each, tells how many were answered, and keeps them.
 */
import { connect, createServer } from "node:net";

const [role = "", port = "", count = "0"] = process.argv.slice(2);
const AT_ONCE = 200;
/** One source address has no more than 28,000 ports. */
const SOURCES = 200;

function connection(i: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ port: Number(port), host: "127.0.0.1", localAddress: `127.0.1.${(i % SOURCES) + 1}` });
    socket.on("connect", () => socket.write("x"));
    socket.once("data", () => settle(true));
    socket.on("error", () => settle(false));
  });
}

if (role === "server") {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => socket.write(bytes));
  });
  server.listen(Number(port), "127.0.0.1", 1024, () => process.stdout.write("0\n"));
} else {
  let open = 0;
  for (let i = 0; i < Number(count); i += AT_ONCE) {
    const now = Math.min(AT_ONCE, Number(count) - i);
    open += (await Promise.all(Array.from({ length: now }, (_, k) => connection(i + k)))).filter(Boolean).length;
  }
  process.stdout.write(`${open}\n`);
}
