/**
 * Goodput of a transfer through the tunnel while a stranger sends foreign datagrams to its server, RATE a second or as fast as one thread can, beside the same without.
 *
 *   node bench/flood.ts [--megabytes 60] [--runs 3] [--bytes 200] [--rate N]
 *
 * Everything is on loopback and on the same cores: the flood takes processor time from the transfer before a single datagram is dropped, and fills the
 * server's socket buffer, so that the tunnel works over loss. What counts is that the session lives and goes on; the ratio says at what price.
 */
import { connect, createServer } from "node:net";
import { startLoopWorker } from "../src/host/worker.ts";
import { type Child, Children, longhaul, sleep, waitForPort } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";
import type { Command, Data, Message } from "./udp-program.ts";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "60" },
    runs: { type: "string", default: "3" },
    bytes: { type: "string", default: "200" },
    rate: { type: "string", default: "0" },
  },
});

const [wan, local, target] = [24_300, 24_301, 24_302];
const total = Number(values.megabytes) * 1e6;
const children = new Children();
/** Tells the sender when it has everything. */
const sink = createServer((socket) => {
  let got = 0;
  socket.on("error", () => {});
  socket.on("data", (data) => {
    got += data.length;
    if (got === total) socket.end("all");
  });
});
await new Promise<void>((done) => sink.listen(target, "127.0.0.1", done));

/** Sends everything through the tunnel; MB/s. */
function transfer(): Promise<number> {
  return new Promise((done, fail) => {
    const began = performance.now();
    const piece = Buffer.alloc(50_000, 7);
    let left = total;
    const socket = connect(local, "127.0.0.1", () => pump());
    const pump = (): void => {
      while (left > 0) {
        const n = Math.min(left, piece.length);
        left -= n;
        if (!socket.write(piece.subarray(0, n))) return;
      }
    };
    socket.on("drain", pump);
    socket.on("data", () => done(total / 1000 / (performance.now() - began)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the connection ended")));
  });
}

async function flooded(run: () => Promise<number>): Promise<{ speed: number; perSecond: number }> {
  const waiting: ((message: Message) => void)[] = [];
  const next = (): Promise<Message> => new Promise((settle) => waiting.push(settle));
  const started = next();
  const worker = startLoopWorker<Data, Command, Message>({
    module: new URL("./udp-program.ts", import.meta.url),
    data: { role: "send", bytes: Number(values.bytes), port: wan, perSecond: Number(values.rate) || undefined },
    io: "auto",
    onMessage: (message) => waiting.shift()?.(message),
  });
  await started;
  const began = performance.now();
  try {
    const speed = await run();
    const answer = next();
    worker.post({ kind: "figures" });
    const message = await answer;
    const sent = message.kind === "figures" ? message.figures.counters.sentDatagrams : 0;
    return { speed, perSecond: (sent / (performance.now() - began)) * 1000 };
  } finally {
    await worker.stop();
  }
}

const key = ["--key", "bench", "--quiet", "--statussocket", "none", "--mode", "fast3", "--sndwnd", "1024", "--rcvwnd", "1024"];
const server: Child = children.start("server", [longhaul, "server", "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${target}`, ...key]);
children.start("client", [longhaul, "client", "-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${wan}`, ...key]);
try {
  await waitForPort(local, 30_000);
  await transfer();
  console.log("| run | MB/s alone | MB/s flooded | ratio | foreign datagrams a second |\n|---|---|---|---|---|");
  for (let run = 1; run <= Number(values.runs); run++) {
    const alone = await transfer();
    const { speed, perSecond } = await flooded(transfer);
    console.log(`| ${run} | ${alone.toFixed(1)} | ${speed.toFixed(1)} | ${(speed / alone).toFixed(2)} | ${perSecond.toFixed(0)} |`);
  }
  server.process.kill("SIGUSR1");
  await sleep(500);
  const line = server
    .output()
    .split("\n")
    .findLast((text) => text.includes("counters of this process"));
  const { PassiveOpens, InErrs, InCsumErrors } = JSON.parse(line ?? "{}");
  console.log(`sessions ${PassiveOpens}, datagrams that do not decrypt ${InCsumErrors}, others dropped ${InErrs}`);
} finally {
  await children.endAll();
  sink.close();
}
