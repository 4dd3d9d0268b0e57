/**
 * What a tunnel costs that does nothing, and what much of it costs: processor time of an idle session, memory of many, streams at once.
 *
 *   node bench/idle.ts [--seconds 20] [--sessions 1000] [--streams 10000] [--only cpu|memory|streams] [--io auto|epoll|node] [--mode auto]
 *
 *   cpu       one session with one open connection: CPU seconds of client and server over the time, as a share of a core
 *   memory    RSS of client and server with no session, and with SESSIONS of them (--conn SESSIONS, a connection each, idle since)
 *   streams   STREAMS connections open at once in one session, each answered; then all closed; RSS before, with, after
 *
 * Default options except --quiet. Needs nothing but Linux (/proc); an open file limit above 2 × STREAMS.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { type Child, Children, longhaul, sleep, waitForPort } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    sessions: { type: "string", default: "1000" },
    streams: { type: "string", default: "10000" },
    only: { type: "string", default: "" },
    io: { type: "string", default: "auto" },
    mode: { type: "string", default: "auto" },
  },
});

const [wan, local, targetPort] = [24_100, 24_101, 24_102];
const ticksPerSecond = 100;
const children = new Children();

/** Echoes, and so answers; in a process of its own, since each connection is a file on both sides. */
const echo = `require("net").createServer((s) => { s.on("error", () => {}); s.pipe(s); }).listen(${targetPort}, "127.0.0.1")`;
children.start("target", [process.execPath, "-e", echo]);
await waitForPort(targetPort, 30_000);

interface Tunnel {
  readonly client: Child;
  readonly server: Child;
}

async function start(options: readonly string[]): Promise<Tunnel> {
  const common = ["--key", "bench", "--quiet", "--statussocket", "none", "--io", values.io, "--mode", values.mode];
  const server = children.start("server", [
    ...[longhaul, "server", "-l", `127.0.0.1:${wan}`, "-t", `127.0.0.1:${targetPort}`],
    ...common,
    ...options.filter((_, i) => options[i - 1] !== "--conn" && options[i] !== "--conn"),
  ]);
  const client = children.start("client", [
    ...[longhaul, "client", "-l", `127.0.0.1:${local}`, "-r", `127.0.0.1:${wan}`],
    ...common,
    ...options,
  ]);
  await waitForPort(local, 30_000);
  return { client, server };
}

const endsOf = ({ client, server }: Tunnel): [name: string, child: Child][] => [
  ["client", client],
  ["server", server],
];

function cpuSeconds({ process }: Child): number {
  const fields = readFileSync(`/proc/${process.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Megabytes (10^6) of physical memory. */
function rss({ process }: Child): number {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, "utf8"))![1]) * 1024) / 1e6;
}

/** A connection that has had its answer. */
function open(): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect(local, "127.0.0.1", () => socket.write("ping"));
    socket.once("data", () => done(socket));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the connection was refused")));
  });
}

/** Opens `count`, at most 100 at a time. */
async function openAll(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const worker = async (): Promise<void> => {
    while (left-- > 0) sockets.push(await open());
  };
  let left = count;
  await Promise.all(Array.from({ length: 100 }, worker));
  return sockets;
}

async function end({ client, server }: Tunnel, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await Promise.all([children.end(client), children.end(server)]);
}

async function measureCpu(): Promise<void> {
  const tunnel = await start([]);
  const sockets = [await open()];
  // The first seconds of a session are no idle ones.
  await sleep(5000);
  const before = endsOf(tunnel).map(([, child]) => cpuSeconds(child));
  await sleep(Number(values.seconds) * 1000);
  endsOf(tunnel).forEach(([name, child], i) => {
    const used = cpuSeconds(child) - before[i]!;
    console.log(
      `| idle session, ${name} | ${((used / Number(values.seconds)) * 100).toFixed(2)} % of a core | ${used.toFixed(2)} s of ${values.seconds} |`,
    );
  });
  await end(tunnel, sockets);
}

async function measureMemory(): Promise<void> {
  // A program that was never run compiles its TypeScript first, with a compiler that then stays in memory.
  await end(await start([]), []);
  const tunnel = await start(["--conn", values.sessions]);
  const empty = endsOf(tunnel).map(([, child]) => rss(child));
  const sockets = await openAll(Number(values.sessions));
  await sleep(8000);
  endsOf(tunnel).forEach(([name, child], i) => {
    const full = rss(child);
    const each = ((full - empty[i]!) * 1e3) / Number(values.sessions);
    console.log(
      `| ${values.sessions} idle sessions, ${name} | ${full.toFixed(0)} MB | ${empty[i]!.toFixed(0)} MB without; ${each.toFixed(0)} kB each |`,
    );
  });
  await end(tunnel, sockets);
}

async function measureStreams(): Promise<void> {
  const tunnel = await start(["--streams", String(Number(values.streams) + 10)]);
  const before = endsOf(tunnel).map(([, child]) => rss(child));
  const sockets = await openAll(Number(values.streams));
  await sleep(1000);
  const during = endsOf(tunnel).map(([, child]) => rss(child));
  for (const socket of sockets) socket.destroy();
  await sleep(5000);
  endsOf(tunnel).forEach(([name, child], i) => {
    const text = `${before[i]!.toFixed(0)} → ${during[i]!.toFixed(0)} → ${rss(child).toFixed(0)} MB`;
    console.log(`| ${sockets.length} streams open at once, ${name} | ${text} | before, with, after |`);
  });
  await end(tunnel, []);
}

try {
  console.log("| what | figure | |\n|---|---|---|");
  if (values.only === "" || values.only === "cpu") await measureCpu();
  if (values.only === "" || values.only === "memory") await measureMemory();
  if (values.only === "" || values.only === "streams") await measureStreams();
} finally {
  await children.endAll();
}
