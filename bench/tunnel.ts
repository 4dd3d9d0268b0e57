/**
 * The tunnel beside Debian's kcptun, one run, one machine: goodput and CPU seconds per gigabyte of both tunnel ends together, by iperf3 through each.
 *
 *   node bench/tunnel.ts [--seconds 2] [--runs 5] [--only TEXT] [--io auto|epoll|node]
 *
 * kcptun runs at fast3 with windows of 4096, as its fastest users do; ours with the same options. Ratios are what counts: the machine is shared.
 * Needs Debian's packages kcptun and iperf3; both tunnels and iperf3 share the same cores.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs, promisify } from "node:util";
import { type Child, Children, longhaul, sleep, waitFor } from "../test/interop/children.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    runs: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    io: { type: "string", default: "auto" },
  },
});

interface Setting {
  readonly name: string;
  readonly options: readonly string[];
  readonly streams: number;
}

const window = ["--mode", "fast3", "--sndwnd", "4096", "--rcvwnd", "4096", "--smuxver", "2"];
const noFec = ["--ds", "0", "--ps", "0"];
const settings: readonly Setting[] = [
  { name: "none, no FEC, nocomp", options: ["--crypt", "none", "--nocomp", ...noFec], streams: 1 },
  { name: "aes, no FEC, nocomp", options: ["--crypt", "aes", "--nocomp", ...noFec], streams: 1 },
  { name: "aes, FEC 10/3, nocomp", options: ["--crypt", "aes", "--nocomp"], streams: 1 },
  { name: "aes, FEC 10/3, snappy, 8 streams", options: ["--crypt", "aes"], streams: 8 },
];
const pairs = [
  { name: "kcptun", client: "kcptun-client", server: "kcptun-server" },
  { name: "longhaul", client: longhaul, server: longhaul },
  { name: "our client, their server", client: longhaul, server: "kcptun-server" },
  { name: "their client, our server", client: "kcptun-client", server: longhaul },
] as const;

interface Sample {
  readonly megabytesPerSecond: number;
  readonly cpuPerGigabyte: number;
}

const children = new Children();
const ticksPerSecond = 100;

/** User and system time of a process and its threads, seconds. */
function cpuSeconds(child: Child): number {
  const fields = readFileSync(`/proc/${child.process.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function measure(pair: (typeof pairs)[number], setting: Setting): Promise<Sample> {
  const [wan, local, target] = [24_000, 24_001, 24_002];
  const own = (role: string): string[] => [longhaul, role, "--io", values.io];
  const common = ["--key", "bench", ...window, ...setting.options];
  const server = children.start("server", [
    ...(pair.server === longhaul ? own("server") : [pair.server]),
    ...["-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${target}`, ...common],
  ]);
  const client = children.start("client", [
    ...(pair.client === longhaul ? own("client") : [pair.client]),
    ...["-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${wan}`, ...common],
  ]);
  const iperf = children.start("iperf3", ["iperf3", "-s", "-B", "127.0.0.1", "-p", String(target)]);
  try {
    for (const [end, program] of [
      [server, pair.server],
      [client, pair.client],
    ] as const) {
      await waitFor(end, program === longhaul ? "listening" : "key derivation done");
    }
    await sleep(300);
    const before = cpuSeconds(server) + cpuSeconds(client);
    const { stdout } = await promisify(execFile)(
      "iperf3",
      ["-c", "127.0.0.1", "-p", String(local), "-t", values.seconds, "-P", String(setting.streams), "-J"],
      { timeout: 60_000, maxBuffer: 2 ** 26 },
    );
    const cpu = cpuSeconds(server) + cpuSeconds(client) - before;
    const { bytes, seconds } = (JSON.parse(stdout) as { end: { sum_received: { bytes: number; seconds: number } } }).end.sum_received;
    return { megabytesPerSecond: bytes / seconds / 1e6, cpuPerGigabyte: cpu / (bytes / 1e9) };
  } finally {
    for (const child of [iperf, client, server]) await children.end(child);
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

console.log(`| setting | tunnel | MB/s (least … most) | × kcptun | CPU s/GB | kcptun's CPU ÷ |\n|---|---|---|---|---|---|`);
for (const setting of settings.filter(({ name }) => name.includes(values.only))) {
  const samples = new Map<string, Sample[]>(pairs.map(({ name }) => [name, []]));
  for (let run = 0; run < Number(values.runs); run++) {
    for (const pair of pairs) {
      await measure(pair, setting).then(
        (sample) => samples.get(pair.name)!.push(sample),
        (error) => console.error(`${setting.name}, ${pair.name}: ${(error as Error).message.slice(0, 200)}`),
      );
    }
  }
  const reference = samples.get("kcptun")!;
  for (const { name } of pairs) {
    const own = samples.get(name)!;
    const speed = own.map(({ megabytesPerSecond }) => megabytesPerSecond);
    const cpu = median(own.map(({ cpuPerGigabyte }) => cpuPerGigabyte));
    const ratio = median(speed) / median(reference.map(({ megabytesPerSecond }) => megabytesPerSecond));
    const cpuRatio = median(reference.map(({ cpuPerGigabyte }) => cpuPerGigabyte)) / cpu;
    const range = `${Math.min(...speed).toFixed(0)} … ${Math.max(...speed).toFixed(0)}`;
    console.log(
      `| ${setting.name} | ${name} | ${median(speed).toFixed(0)} (${range}) | ${ratio.toFixed(1)} | ${cpu.toFixed(2)} | ${cpuRatio.toFixed(1)} |`,
    );
  }
}
await children.endAll();
