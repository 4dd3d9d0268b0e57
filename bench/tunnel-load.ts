/** What is sent through a tunnel to measure it: bulk by iperf3, and small messages to and fro. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { promisify } from "node:util";

const PING_BYTES = 64;
const BUSY_TRIES = 20;

/** Bytes that arrived and the seconds it took, over `streams` connections to the port at once; `down`: sent by the target. `prefix` is put before iperf3. */
export async function bulk(
  port: number,
  streams: number,
  seconds: number,
  down = false,
  prefix: readonly string[] = [],
): Promise<{ readonly bytes: number; readonly seconds: number }> {
  const [program, ...args] = [
    ...prefix,
    "iperf3",
    "-c",
    "127.0.0.1",
    "-p",
    String(port),
    "-t",
    String(seconds),
    "-P",
    String(streams),
    "-J",
  ];
  for (let left = BUSY_TRIES; ; left--) {
    // With an error it ends with 1, and says which in its report.
    const { stdout } = await promisify(execFile)(program!, down ? [...args, "-R"] : args, {
      timeout: (seconds + 60) * 1000,
      maxBuffer: 2 ** 26,
    }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
    const report = JSON.parse(stdout || "{}") as { end?: { sum_received?: { bytes: number; seconds: number } }; error?: string };
    if (report.end?.sum_received !== undefined) return report.end.sum_received;
    // The target serves one at a time, and the last one's bytes may still be on their way to it.
    if (left === 0 || !report.error?.includes("busy")) throw new Error(`iperf3: ${report.error ?? stdout}`);
    await new Promise((done) => setTimeout(done, 250));
  }
}

/** Answers every byte; for `pingPong` at the far end of a tunnel. */
export async function echo(port: number): Promise<{ close(): void }> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Milliseconds of each of `count` round trips of 64 bytes, one after the other, the first tenth left out. */
export async function pingPong(port: number, count: number): Promise<number[]> {
  const socket: Socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const took: number[] = [];
  const message = Buffer.alloc(PING_BYTES, 7);
  try {
    await once(socket, "connect");
    for (let i = 0; i < count; i++) {
      const before = performance.now();
      socket.write(message);
      for (let left = PING_BYTES; left > 0; ) left -= ((await once(socket, "data")) as [Buffer])[0].length;
      if (i >= count / 10) took.push(performance.now() - before);
    }
  } finally {
    socket.destroy();
  }
  return took;
}
