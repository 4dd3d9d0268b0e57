/**
 * Moves bytes both ways at once through one TCP connection and checks every byte: the load of the interop tests.
 *
 *   transfer.ts serve PORT BYTES           sends stream B on every connection, expects stream A; runs until it is ended
 *   transfer.ts run PORT BYTES [STREAMS]   connects STREAMS times at once, sends stream A, expects stream B on each; prints {"ok":…} and exits 0 or 1
 *
 * Both streams are BYTES long and made from a seed, so each side knows the hash it must see. Neither side ends its half before it has
 * everything, because a real kcptun closes both directions at the first end.
 */
import { createHash } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { Prng } from "../../src/base/prng.ts";

/** One megabyte of pseudo-random text and noise: half compressible, so that snappy's two kinds of chunk both occur. */
function block(seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 << 20);
  new Prng(seed).fill(bytes.subarray(0, 1 << 19));
  bytes.fill(`stream ${seed}: all work and no play makes a dull packet. `, 1 << 19);
  return bytes;
}

/** Byte i of a stream is byte i mod 2^20 of its block. */
function hashOf(seed: number, bytes: number): string {
  const source = block(seed);
  const hash = createHash("sha256");
  for (let at = 0; at < bytes; at += source.length) hash.update(source.subarray(0, Math.min(source.length, bytes - at)));
  return hash.digest("hex");
}

/** `done` when the last byte was given to the socket. */
function send(socket: Socket, seed: number, bytes: number, done: () => void = () => {}): void {
  const source = block(seed);
  let sent = 0;
  const pump = (): void => {
    while (sent < bytes) {
      const at = sent % source.length;
      const piece = source.subarray(at, Math.min(at + 50_000, source.length, at + bytes - sent));
      sent += piece.length;
      if (!socket.write(piece)) {
        socket.once("drain", pump);
        return;
      }
    }
    done();
  };
  pump();
}

const [command, portText, bytesText, streamsText] = process.argv.slice(2);
const port = Number(portText);
const bytes = Number(bytesText);
const [seedA, seedB] = [1, 2];

/** Calls back once: when `bytes + extra` have come, with whether the first `bytes` are the stream, or with false when the connection ends before. */
function receive(socket: Socket, seed: number, extra: number, done: (ok: boolean, received: number) => void): void {
  const expected = hashOf(seed, bytes);
  const hash = createHash("sha256");
  let received = 0;
  let finished = false;
  const finish = (ok: boolean): void => {
    if (finished) return;
    finished = true;
    done(ok, received);
  };
  socket.on("data", (data) => {
    const piece = data as Buffer;
    if (received < bytes) hash.update(piece.subarray(0, bytes - received));
    received += piece.length;
    if (!finished && received >= bytes + extra) finish(received === bytes + extra && hash.digest("hex") === expected);
  });
  socket.on("close", () => finish(false));
  socket.on("error", () => finish(false));
}

if (command === "serve") {
  createServer((socket) => {
    socket.setNoDelay(true);
    const sent = new Promise<void>((done) => send(socket, seedB, bytes, done));
    receive(socket, seedA, 0, async (ok, received) => {
      process.stderr.write(`${JSON.stringify({ at: "target", ok, received })}\n`);
      // The word that the upload was right is one byte behind the stream; a wrong upload breaks the connection.
      if (!ok) socket.destroy();
      else {
        await sent;
        socket.write("k");
      }
    });
  }).listen(port, "127.0.0.1");
} else if (command === "run") {
  const started = performance.now();
  const one = (): Promise<{ ok: boolean; received: number }> =>
    new Promise((done) => {
      const socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      send(socket, seedA, bytes);
      receive(socket, seedB, 1, (ok, received) => {
        done({ ok, received });
        socket.destroy();
      });
    });
  const results = await Promise.all(Array.from({ length: Number(streamsText ?? 1) }, one));
  const ok = results.every((result) => result.ok);
  const received = results.reduce((sum, result) => sum + result.received, 0);
  console.log(JSON.stringify({ ok, received, seconds: Math.round(performance.now() - started) / 1000 }));
  process.exit(ok ? 0 : 1);
} else {
  console.error("usage: transfer.ts serve|run PORT BYTES");
  process.exitCode = 2;
}
