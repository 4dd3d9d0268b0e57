/**
 * Bytes a second through an edge and through HAProxy, one after the other and again, on the same cores: iperf3 sends, by so many connections.
 *
 *   npm run bench:edge -- [--seconds N] [--connections N,N…] [--rounds N] [--threads N]          needs haproxy and iperf3
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { parseArgs } from "../../test/script-args.ts";
import { cpuSeconds, edge, end, haproxy, start } from "./world.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    connections: { type: "string", default: "1,4,16,64" },
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});
const SERVER = 18_501;
const EDGE = 18_502;
const HAPROXY = 18_520;
/** iperf3 serves one client at a time: a check would be one. */
const CHECK = 18_521;

interface Result {
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

function measure(port: number, connections: string, reverse: boolean): number {
  const args = ["-c", "127.0.0.1", "-p", String(port), "-t", values.seconds, "-P", connections, "-J", ...(reverse ? ["-R"] : [])];
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
  for (const connections of values.connections.split(","))
    for (const reverse of [false, true]) {
      const what = `${connections.padStart(3)} connections ${reverse ? "from" : "to"} server`;
      const rates: Record<string, number[]> = { edge: [], haproxy: [] };
      const seconds: Record<string, number> = { edge: 0, haproxy: 0 };
      for (let round = 0; round < Number(values.rounds); round++)
        for (const [name, { port, process: child }] of Object.entries(proxies)) {
          const before = cpuSeconds(child);
          rates[name]!.push(measure(port, connections, reverse));
          seconds[name]! += cpuSeconds(child) - before;
        }
      const median = (name: string): number => rates[name]!.toSorted((a, b) => a - b)[Math.floor(rates[name]!.length / 2)]!;
      const told = Object.keys(rates).map(
        (name) => `${name} ${median(name).toFixed(0)} MB/s (${seconds[name]!.toFixed(1)} s of processor)`,
      );
      process.stdout.write(`${what}  ${told.join("  ")}  edge ÷ haproxy ${(median("edge") / median("haproxy")).toFixed(2)}\n`);
    }
} finally {
  end();
  checked.close();
}
