/**
 * Request and answer of 64 bytes through the tunnel beside Debian's kcptun, in turn on one machine: p50 and p99 of the round trip.
 *
 *   node bench/ping.ts [--rounds 2000] [--runs 5] [--io auto|epoll|node]
 *
 * One connection, nothing else in the tunnels. The runs of both alternate, so that a busy machine is as busy for both. Needs Debian's package kcptun.
 */
import { type AddressInfo, connect, createServer } from "node:net";
import { type Child, Children, longhaul, sleep, waitFor } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "2000" },
    runs: { type: "string", default: "5" },
    io: { type: "string", default: "auto" },
  },
});

const bytes = 64;
const settings: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["defaults", []],
  ["aes, nocomp, FEC 10/3", ["--nocomp"]],
  ["none, nocomp, no FEC", ["--crypt", "none", "--nocomp", "--ds", "0", "--ps", "0"]],
];
const tunnels = [
  { name: "kcptun", client: ["kcptun-client"], server: ["kcptun-server"], ready: "key derivation done" },
  {
    name: "longhaul",
    client: [longhaul, "client", "--statussocket", "none", "--io", values.io],
    server: [longhaul, "server", "--statussocket", "none", "--io", values.io],
    ready: "listening",
  },
] as const;

const children = new Children();
const echo = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.pipe(socket);
});
await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
const target = (echo.address() as AddressInfo).port;

/** Round trips in µs, in order of length. */
function pingPong(port: number, rounds: number): Promise<number[]> {
  return new Promise((done, fail) => {
    const times: number[] = [];
    const message = Buffer.alloc(bytes, 7);
    let got = 0;
    let sentAt = 0;
    const socket = connect(port, "127.0.0.1", () => ask());
    const ask = (): void => {
      sentAt = performance.now();
      socket.write(message);
    };
    socket.setNoDelay(true);
    socket.on("error", fail);
    socket.on("data", (data: Buffer) => {
      got += data.length;
      if (got < bytes) return;
      got = 0;
      times.push((performance.now() - sentAt) * 1000);
      if (times.length < rounds) ask();
      else {
        socket.destroy();
        done(times.sort((a, b) => a - b));
      }
    });
  });
}

async function run(tunnel: (typeof tunnels)[number], options: readonly string[]): Promise<number[]> {
  const [wan, local] = [24_200, 24_201];
  const common = ["--key", "bench", "--smuxver", "2", ...options];
  const ends: Child[] = [
    children.start("server", [...tunnel.server, "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${target}`, ...common]),
    children.start("client", [...tunnel.client, "-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${wan}`, ...common]),
  ];
  try {
    for (const end of ends) await waitFor(end, tunnel.ready, 30_000);
    await sleep(500);
    await pingPong(local, 300);
    return await pingPong(local, Number(values.rounds));
  } finally {
    for (const end of ends) await children.end(end);
  }
}

const at = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)]!;
const median = (numbers: readonly number[]): number =>
  at(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );

console.log("| setting | tunnel | p50 µs (least … most) | p99 µs | p50 ÷ kcptun's |\n|---|---|---|---|---|");
try {
  for (const [name, options] of settings) {
    const runs = new Map<string, number[][]>(tunnels.map((tunnel) => [tunnel.name, []]));
    for (let i = 0; i < Number(values.runs); i++) for (const tunnel of tunnels) runs.get(tunnel.name)!.push(await run(tunnel, options));
    const reference = median(runs.get("kcptun")!.map((times) => at(times, 0.5)));
    for (const [tunnel, samples] of runs) {
      const halves = samples.map((times) => at(times, 0.5));
      const p99 = median(samples.map((times) => at(times, 0.99)));
      const range = `${Math.min(...halves).toFixed(0)} … ${Math.max(...halves).toFixed(0)}`;
      console.log(
        `| ${name} | ${tunnel} | ${median(halves).toFixed(0)} (${range}) | ${p99.toFixed(0)} | ${(median(halves) / reference).toFixed(2)} |`,
      );
    }
  }
} finally {
  await children.endAll();
  echo.close();
}
