/**
 * Both ends of a bulk transfer: `far.ts server PORT` tells each connection whom the PROXY header in front of it names, and then sends without end;
 * `far.ts client HOST PORT MS` says {"source", "bytes"} of what came in so long.
 */
import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import { readProxyHeader } from "../../src/host/proxy-protocol.ts";

export interface Received {
  readonly source: string;
  readonly bytes: number;
}

const [role = "", ...args] = process.argv.slice(2);
/** Nothing that could be compressed. */
const CHUNK = randomBytes(1 << 20);

if (role === "server") {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      const header = readProxyHeader(bytes);
      socket.write(`${typeof header === "object" ? header.source?.host : ""}\n`);
      const more = (): void => {
        while (socket.write(CHUNK));
      };
      socket.on("drain", more);
      more();
    });
  });
  server.listen(Number(args[0]), () => process.stdout.write("{}\n"));
} else {
  const [host = "", port = "", ms = ""] = args;
  const socket = connect({ host, port: Number(port) });
  let head = Buffer.alloc(0);
  let bytes = 0;
  socket.on("error", () => {});
  socket.on("connect", () => socket.write("x"));
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (head.length < 64) head = Buffer.concat([head, chunk.subarray(0, 64)]);
  });
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ source: head.toString("latin1").split("\n")[0]!, bytes } satisfies Received)}\n`);
    process.exit();
  }, Number(ms));
}
