/**
 * The tunnel beside Debian's kcptun, one run, one machine: goodput and CPU seconds per gigabyte of both tunnel ends together, by iperf3 through each,
 * and the round trip of 64 bytes.
 *
 *   npm run bench:tunnel -- [--seconds 4] [--warmup 2] [--runs 5] [--direction up|down] [--only TEXT] [--pairs TEXT] [--gso on|off] [--io auto|epoll|node]
 *
 * kcptun runs at fast3 with windows of 4096, as its fastest users do; ours with the same options. Medians, with the least and the most; ratios are what
 * counts, because the machine is shared: both tunnels, iperf3 and whatever else there is run on the same cores, in turn; `chrt -r 1` before the command
 * keeps the rest away. Up is from the client to the server, so that the client is what sends. What goes through either tunnel in the first --warmup seconds
 * is not counted: in that time ours is still being compiled. "asked" is the least ratio that issue 3 asks for. With --gso off, or in the rows that say so, our ends do without UDP_SEGMENT and UDP_GRO altogether; in those with "path that
 * cannot merge" they are as always, but the device between them takes and brings datagrams one by one (both tunnels in a namespace of their own; needs root and ethtool).
 * Needs Debian's packages kcptun and iperf3.
 */
import { readFileSync } from "node:fs";
import { type Child, Children, longhaul, sleep, waitFor } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";
import { bulk, echo, pingPong } from "./tunnel-load.ts";
import { UnmergedPath } from "./unmerged-path.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    warmup: { type: "string", default: "2" },
    direction: { type: "string", default: "up" },
    runs: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    pairs: { type: "string", default: "" },
    gso: { type: "string", default: "on" },
    io: { type: "string", default: "auto" },
  },
});

interface Setting {
  readonly name: string;
  readonly options: readonly string[];
  readonly streams: number;
  readonly gso: boolean;
  /** Over a device that takes datagrams one by one. */
  readonly unmerged?: boolean;
  /** × kcptun's goodput, and kcptun's CPU ÷ ours. */
  readonly asked: readonly [goodput: number, cpu: number];
}

const window = ["--mode", "fast3", "--sndwnd", "4096", "--rcvwnd", "4096", "--smuxver", "2"];
const noFec = ["--ds", "0", "--ps", "0"];
const plain = ["--crypt", "none", "--nocomp", ...noFec];
const withFec = ["--crypt", "aes", "--nocomp"];
const gso = values.gso !== "off";
const down = values.direction === "down";
const settings: readonly Setting[] = [
  { name: "none, no FEC, nocomp", options: plain, streams: 1, gso, asked: [10, 12] },
  { name: "aes, no FEC, nocomp", options: [...withFec, ...noFec], streams: 1, gso, asked: [8, 8] },
  { name: "aes, FEC 10/3, nocomp", options: withFec, streams: 1, gso, asked: [7, 7] },
  { name: "aes, FEC 10/3, snappy, 8 streams", options: ["--crypt", "aes"], streams: 8, gso, asked: [5, 5] },
  { name: "none, no FEC, nocomp, path that cannot merge", options: plain, streams: 1, gso, unmerged: true, asked: [3.5, 3] },
  { name: "aes, FEC 10/3, nocomp, path that cannot merge", options: withFec, streams: 1, gso, unmerged: true, asked: [3.5, 3] },
  { name: "none, no FEC, nocomp, GSO off", options: plain, streams: 1, gso: false, asked: [3.5, 3] },
  { name: "aes, FEC 10/3, nocomp, GSO off", options: withFec, streams: 1, gso: false, asked: [3.5, 3] },
];
/** Least goodput asked of an end of ours with one of theirs. */
const askedMixed = 1.3;
const pairs = [
  { name: "kcptun", client: "kcptun-client", server: "kcptun-server" },
  { name: "longhaul", client: longhaul, server: longhaul },
  { name: "our client, their server", client: longhaul, server: "kcptun-server" },
  { name: "their client, our server", client: "kcptun-client", server: longhaul },
] as const;
type Pair = (typeof pairs)[number];

const [WAN, LOCAL, TARGET] = [24_000, 24_001, 24_002];
const ROUND_TRIPS = 1000;
const ticksPerSecond = 100;
const children = new Children();
const unmergedMissing = UnmergedPath.missing();
const unmergedPath = unmergedMissing === undefined ? new UnmergedPath() : undefined;
const prefixOf = ({ unmerged }: Setting): readonly string[] => (unmerged ? unmergedPath!.prefix : []);

/** User and system time of a process and its threads, seconds. */
function cpuSeconds(child: Child): number {
  const fields = readFileSync(`/proc/${child.process.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Runs both ends of a tunnel while `use` runs; it is given what tells their CPU seconds so far. */
async function throughTunnel<T>(pair: Pair, setting: Setting, use: (cpu: () => number) => Promise<T>): Promise<T> {
  const own = ["--io", values.io, "--gso", String(setting.gso)];
  const common = ["--key", "bench", ...window, ...setting.options];
  const start = (role: "server" | "client", ...places: string[]): Child =>
    children.start(role, [...(pair[role] === longhaul ? [longhaul, role, ...own] : [pair[role]]), ...places, ...common], prefixOf(setting));
  const server = start("server", "-l", `127.0.0.1:${WAN}`, "-t", `127.0.0.1:${TARGET}`);
  const client = start("client", "-l", `127.0.0.1:${LOCAL}`, "-r", `127.0.0.1:${WAN}`);
  try {
    await waitFor(server, pair.server === longhaul ? "listening" : "key derivation done");
    await waitFor(client, pair.client === longhaul ? "listening" : "key derivation done");
    await sleep(300);
    return await use(() => cpuSeconds(server) + cpuSeconds(client));
  } finally {
    for (const child of [client, server]) await children.end(child);
  }
}

interface Sample {
  readonly megabytesPerSecond: number;
  readonly cpuPerGigabyte: number;
}

async function measureBulk(pair: Pair, setting: Setting): Promise<Sample> {
  const prefix = prefixOf(setting);
  const iperf = children.start("iperf3", ["iperf3", "-s", "-B", "127.0.0.1", "-p", String(TARGET)], prefix);
  try {
    return await throughTunnel(pair, setting, async (cpu) => {
      if (Number(values.warmup) > 0) await bulk(LOCAL, setting.streams, Number(values.warmup), down, prefix);
      const before = cpu();
      const { bytes, seconds } = await bulk(LOCAL, setting.streams, Number(values.seconds), down, prefix);
      return { megabytesPerSecond: bytes / seconds / 1e6, cpuPerGigabyte: (cpu() - before) / (bytes / 1e9) };
    });
  } finally {
    await children.end(iperf);
  }
}

/** The median round trip, milliseconds. */
async function measurePing(pair: Pair, setting: Setting): Promise<number> {
  const target = await echo(TARGET);
  try {
    return await throughTunnel(pair, setting, async () => median(await pingPong(LOCAL, ROUND_TRIPS)));
  } finally {
    target.close();
  }
}

/** Each pair in turn, `runs` times over; those that fail are named and left out. */
async function inTurn<T>(
  of: readonly Pair[],
  what: string,
  measure: (pair: Pair) => Promise<T>,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const samples = new Map<string, T[]>(of.map(({ name }) => [name, []]));
  for (let run = 0; run < Number(values.runs); run++) {
    for (const pair of of) {
      await measure(pair).then(
        (sample) => samples.get(pair.name)!.push(sample),
        (error) => console.error(`${what}, ${pair.name}: ${(error as Error).message.slice(0, 200)}`),
      );
    }
  }
  return samples;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

function spread(numbers: readonly number[], digits: number): string {
  return `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} … ${Math.max(...numbers).toFixed(digits)})`;
}

/** "12.3, asked 10", or without what nobody asked for. */
function against(got: number, asked: number | undefined): string {
  return asked === undefined ? got.toFixed(1) : `${got.toFixed(1)}, asked ${asked}${got < asked ? ": **missed**" : ""}`;
}

const chosen = pairs.filter(({ name }) => name === "kcptun" || name.includes(values.pairs));
console.log("| setting | tunnel | MB/s (least … most) | × kcptun | CPU s/GB (least … most) | kcptun's CPU ÷ |\n|---|---|---|---|---|---|");
for (const setting of settings.filter(({ name }) => name.includes(values.only))) {
  if (setting.unmerged && unmergedPath === undefined) {
    console.log(`| ${setting.name} | left out: ${unmergedMissing} | | | | |`);
    continue;
  }
  const of = chosen.filter(({ name }) => (setting.gso && !setting.unmerged) || !name.includes(","));
  const samples = await inTurn(of, setting.name, (pair) => measureBulk(pair, setting));
  const speeds = (name: string): number[] => samples.get(name)!.map(({ megabytesPerSecond }) => megabytesPerSecond);
  const cpus = (name: string): number[] => samples.get(name)!.map(({ cpuPerGigabyte }) => cpuPerGigabyte);
  for (const { name } of of) {
    const mixed = name === "longhaul" ? undefined : askedMixed;
    const asked = name === "kcptun" ? [undefined, undefined] : name === "longhaul" ? setting.asked : [mixed, undefined];
    const ratio = against(median(speeds(name)) / median(speeds("kcptun")), asked[0]);
    const cpuRatio = against(median(cpus("kcptun")) / median(cpus(name)), asked[1]);
    console.log(
      `| ${setting.name} | ${name}, ${down ? "down" : "up"} | ${spread(speeds(name), 0)} | ${ratio} | ${spread(cpus(name), 2)} | ${cpuRatio} |`,
    );
  }
}
if ("64 bytes to and fro".includes(values.only)) {
  console.log("\n| 64 bytes to and fro | median round trip, ms (least … most of the runs) |\n|---|---|");
  const setting = settings[2]!;
  const samples = await inTurn(chosen, "round trip", (pair) => measurePing(pair, setting));
  for (const [name, trips] of samples) console.log(`| ${setting.name}, ${name} | ${spread(trips, 3)} |`);
}
await children.endAll();
unmergedPath?.remove();
