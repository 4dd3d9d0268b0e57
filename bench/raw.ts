/**
 * `longhaul raw` beside the real udp2raw: datagrams a second through one raw connection and processor time for each, in namespaces joined by a veth pair,
 * one core a side: the sender shares the client's, the receiver the server's.
 *
 *   LONGHAUL_UDP2RAW=PROGRAM node bench/raw.ts [--bytes 1300] [--milliseconds 1500] [--rates 20,60,90,120,160,220] [--only WORDS] [--who WORDS]
 *
 * Both programs as they are by default and with --lower-level auto, which sends past the routing table; ours by the routing table alone too. For each way to encrypt, datagrams are offered at each rate (thousands a second) in one direction. Its best is the highest rate that came out; the cost is
 * processor time of client and server for a datagram that came out, at that rate. Needs root and taskset; without the program, ours alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../test/interop/children.ts";
import { VethPair } from "../test/interop/veth.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    bytes: { type: "string", default: "1300" },
    milliseconds: { type: "string", default: "1000" },
    rates: { type: "string", default: "20,60,90,120,160,220" },
    only: { type: "string", default: "" },
    who: { type: "string", default: "" },
  },
});
const program = process.env.LONGHAUL_UDP2RAW ?? "";
const load = join(root, "bench/raw-load.ts");
const [ENTRY, PORT, TARGET] = [3333, 4096, 7777];
const settings = ["aes128cbc md5", "none none", "aes128cbc hmac_sha1", "xor simple"].filter((words) => words.includes(values.only));

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly options: readonly string[];
}

const BY_LINK = ["--lower-level", "auto"];
const contenders: readonly Contender[] = [
  { name: "ours", command: [longhaul, "raw", "--statussocket", "none"], options: [] },
  { name: "ours by route", command: [longhaul, "raw", "--statussocket", "none"], options: ["--lower-level", "route"] },
  { name: "ours by link", command: [longhaul, "raw", "--statussocket", "none"], options: BY_LINK },
  { name: "theirs", command: [program], options: [] },
  { name: "theirs by link", command: [program], options: BY_LINK },
].filter(({ name, command }) => command[0] !== "" && name.includes(values.who));

interface Point {
  readonly offered: number;
  readonly perSecond: number;
  /** Of what was sent. */
  readonly lost: number;
  readonly clientMicros: number;
  readonly serverMicros: number;
}

const missing = VethPair.missing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(0);
}
const children = new Children();
const veth = new VethPair(`lhbr${process.pid}`);
const core = (side: "c" | "s"): string[] => [...veth.prefix(side), "taskset", "-c", side === "c" ? "0" : "1"];
try {
  for (const words of settings) {
    const best = new Map<string, Point>();
    for (const contender of contenders) {
      const points = await measure(contender, words);
      for (const point of points) console.log(`${words.padEnd(20)} ${contender.name.padEnd(15)} ${row(point)}`);
      best.set(
        contender.name,
        points.reduce((a, b) => (b.perSecond > a.perSecond ? b : a)),
      );
    }
    console.log("");
    for (const [name, point] of best) console.log(`${words.padEnd(20)} ${name.padEnd(15)} ${row(point)}   best`);
    const theirs = [...best].filter(([name]) => name.startsWith("theirs")).map(([, point]) => point);
    if (theirs.length === 0) continue;
    const rate = Math.max(...theirs.map(({ perSecond }) => perSecond));
    const cost = Math.min(...theirs.map(cpu));
    for (const [name, point] of best) {
      if (!name.startsWith("ours")) continue;
      console.log(
        `${words.padEnd(20)} ${name.padEnd(15)} × their best rate ${(point.perSecond / rate).toFixed(2)}, × their least CPU ${(cpu(point) / cost).toFixed(2)}`,
      );
    }
    console.log("");
  }
} finally {
  await children.endAll();
  veth.down();
}

/** Of both ends for a datagram. */
function cpu({ clientMicros, serverMicros }: Point): number {
  return clientMicros + serverMicros;
}

async function measure({ command, options }: Contender, words: string): Promise<Point[]> {
  const [cipher, auth] = words.split(" ") as [string, string];
  const modes = ["--cipher-mode", cipher, "--auth-mode", auth, "-k", "bench", "--sock-buf", "4096", "-a", ...options];
  const started: Child[] = [];
  const start = (name: string, line: readonly string[], side: "c" | "s"): Child => {
    const child = children.start(name, line, core(side));
    started.push(child);
    return child;
  };
  const loader = (...args: readonly (string | number)[]): string[] => [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    load,
    ...args.map(String),
  ];
  try {
    const receiver = start("receiver", loader("receive", TARGET), "s");
    await waitFor(receiver, "listening");
    const server = start("server", [...command, "-s", "-l", `0.0.0.0:${PORT}`, "-r", `127.0.0.1:${TARGET}`, ...modes], "s");
    await sleep(800);
    const client = start(
      "client",
      [...command, "-c", "-l", `127.0.0.1:${ENTRY}`, "-r", `${VethPair.serverAddress[4]}:${PORT}`, ...modes],
      "c",
    );
    await sleep(1500);
    // Once without a measurement: the compiler works, conversations are made.
    await offer(40_000, 600, receiver);
    const points: Point[] = [];
    for (const rate of values.rates.split(",").map((thousands) => Number(thousands) * 1000)) {
      const before = [cpuMicros(client), cpuMicros(server)];
      const { sent, received, seconds } = await offer(rate, Number(values.milliseconds), receiver);
      const after = [cpuMicros(client), cpuMicros(server)];
      points.push({
        offered: rate,
        perSecond: received / seconds,
        lost: 1 - received / sent,
        clientMicros: (after[0]! - before[0]!) / received,
        serverMicros: (after[1]! - before[1]!) / received,
      });
    }
    return points;
  } finally {
    for (const child of started) await children.end(child);
  }
}

async function offer(rate: number, milliseconds: number, receiver: Child): Promise<{ sent: number; received: number; seconds: number }> {
  const before = received(receiver);
  const loader = [process.execPath, "--disable-warning=ExperimentalWarning", load, "send", ENTRY, values.bytes, rate, milliseconds].map(
    String,
  );
  const sender = children.start("sender", loader, core("c"));
  await sender.exited;
  const { sent } = JSON.parse(sender.output().trim()) as { sent: number };
  await sleep(500);
  return { sent, received: received(receiver) - before, seconds: milliseconds / 1000 };
}

function received(receiver: Child): number {
  const lines = receiver.output().trim().split("\n");
  return (JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? '{"received":0}') as { received: number }).received;
}

/** Run time of all threads of the process. */
function cpuMicros({ process: { pid } }: Child): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).reduce((sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]) / 1000, 0);
}

function row({ offered, perSecond, lost, clientMicros, serverMicros }: Point): string {
  const cost = `client ${clientMicros.toFixed(2)} µs, server ${serverMicros.toFixed(2)} µs`;
  return `offered ${offered / 1000} k/s: ${(perSecond / 1000).toFixed(1).padStart(6)} k/s, ${(lost * 100).toFixed(1)} % lost, ${cost}`;
}
