/**
 * Records what an encoder sends: takes one connection, accepts whatever it publishes, and writes the bytes it sent to a file.
 *
 *   node test/rtmp/record.ts <port> <file>
 *
 * Prints the events as they come; README.md lists the encoders' commands.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { RtmpServer } from "../../src/media/rtmp/server.ts";

const port = Number(process.argv[2]);
const file = process.argv[3] ?? "recorded.bin";

const listener = createServer((socket) => {
  listener.close();
  const server = new RtmpServer({ random: randomBytes(1528) });
  const received: Uint8Array[] = [];
  const into = new Uint8Array(65_536);
  let media = 0;
  socket.on("data", (data) => {
    const bytes = Buffer.from(data as Buffer);
    const now = performance.now();
    received.push(bytes);
    server.receive(now, bytes, 0, bytes.length);
    for (let event = server.event(); event !== undefined; event = server.event()) {
      if (event.kind === "media") media++;
      else console.log(event);
      if (event.kind === "publish") server.accept(now);
      if (event.kind === "failed") socket.destroy();
    }
    for (let n = server.transmit(into, 0, into.length); n > 0; n = server.transmit(into, 0, into.length)) socket.write(into.slice(0, n));
  });
  socket.on("close", () => {
    writeFileSync(file, Buffer.concat(received));
    console.log(`${media} media messages`, server.state, server.stats);
  });
});
listener.listen(port, "127.0.0.1");
