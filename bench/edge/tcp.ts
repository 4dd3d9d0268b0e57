/**
 * Bytes a second through an edge and through HAProxy, one after the other and again, on the same cores: iperf3 sends, several connections.
 *
 *   npm run bench:edge -- [--seconds N] [--connections N] [--rounds N]          needs haproxy and iperf3
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { cpuSeconds, edge, end, haproxy, start } from "./world.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "16" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});
const SERVER = 18_501;
const EDGE = 18_502;
const HAPROXY = 18_503;
/** iperf3 serves one client at a time: a check would be one. */
const CHECK = 18_504;

interface Result {
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

function measure(port: number, reverse: boolean): number {
  const args = ["-c", "127.0.0.1", "-p", String(port), "-t", values.seconds, "-P", values.connections, "-J", ...(reverse ? ["-R"] : [])];
  const result = JSON.parse(execFileSync("iperf3", args, { encoding: "utf8", timeout: 120_000, maxBuffer: 64 << 20 })) as Result;
  return result.end.sum_received.bits_per_second / 8e6;
}

const checked = createServer((socket) => socket.destroy()).listen(CHECK, "127.0.0.1");
try {
  start(["iperf3", "-s", "-p", String(SERVER)]);
  await new Promise((settle) => setTimeout(settle, 500));
  const proxies = {
    edge: { port: EDGE, process: edge(EDGE, SERVER, CHECK, "--workers", values.threads) },
    haproxy: { port: HAPROXY, process: haproxy(HAPROXY, SERVER, Number(values.threads)) },
  };
  await new Promise((settle) => setTimeout(settle, 4000));
  for (const reverse of [false, true]) {
    const sums: Record<string, number[]> = { edge: [], haproxy: [] };
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [name, { port, process: child }] of Object.entries(proxies)) {
        const before = cpuSeconds(child);
        const rate = measure(port, reverse);
        sums[name]!.push(rate);
        const cpu = cpuSeconds(child) - before;
        process.stdout.write(
          `${reverse ? "from" : "to"} server  ${name.padEnd(8)} ${rate.toFixed(0).padStart(6)} MB/s  ${cpu.toFixed(1)} s of processor\n`,
        );
      }
    const median = (name: string): number => sums[name]!.toSorted((a, b) => a - b)[Math.floor(sums[name]!.length / 2)]!;
    process.stdout.write(
      `${reverse ? "from" : "to"} server  edge ÷ haproxy ${(median("edge") / median("haproxy")).toFixed(2)} (medians)\n`,
    );
  }
} finally {
  end();
  checked.close();
}
