/**
 * Delay of messages through a network that polices UDP: Debian's kcptun by itself and inside our raw carrier, our tunnel by itself and over its carriers, one
 * after another over the same emulated link.
 *
 *   node bench/carriers.ts [--seconds 15] [--rate 4] [--link WORDS] [--only TEXT]          needs root, ../shared/netlab, Debian's kcptun
 *
 * A sender writes messages of 1,250 bytes into one TCP connection, `rate` Mbit/s of them, each with the time it was written; the receiver at the far end says
 * how long each took. The link is profile e of the emulator: 50 ms each way, 0.5 % loss, 20 Mbit/s, UDP no more than 1 Mbit/s.
 */
import { connect, createServer } from "node:net";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../test/interop/children.ts";
import { Netlab, netlabMissing } from "../test/interop/netlab.ts";
import { parseArgs } from "../test/script-args.ts";

const MESSAGE_BYTES = 1250;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "15" },
    rate: { type: "string", default: "4" },
    link: { type: "string", default: "delay=50 loss=0.5% rate=20mbit qbytes=256k udprate=1mbit udpburst=32k" },
    only: { type: "string", default: "" },
  },
});
const [ENTRY, INNER, TARGET, PORT, RAW_PORT] = [1936, 3333, 7001, 29900, 4096];

/** Milliseconds of a clock that all processes of the machine share. */
function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function receive(): void {
  createServer((socket) => {
    const delays: number[] = [];
    let rest = Buffer.alloc(0);
    socket.on("data", (data) => {
      const now = clock();
      rest = Buffer.concat([rest, data as Buffer]);
      for (; rest.length >= MESSAGE_BYTES; rest = rest.subarray(MESSAGE_BYTES)) delays.push(now - rest.readDoubleBE(0));
    });
    const tell = (): void => console.log(`delays ${JSON.stringify(delays.map((ms) => Math.round(ms * 10) / 10))}`);
    setInterval(tell, 2000);
    socket.on("end", tell).on("error", tell);
  }).listen(TARGET, "127.0.0.1", () => console.log("listening"));
}

async function send(seconds: number, megabits: number): Promise<void> {
  const socket = connect(ENTRY, "127.0.0.1");
  socket.setNoDelay(true);
  const everyMs = (MESSAGE_BYTES * 8) / (megabits * 1000);
  const message = Buffer.alloc(MESSAGE_BYTES, 7);
  const begun = clock();
  let sent = 0;
  while (clock() < begun + seconds * 1000) {
    for (; begun + sent * everyMs <= clock(); sent++) {
      message.writeDoubleBE(clock(), 0);
      socket.write(Buffer.from(message));
    }
    await sleep(1);
  }
  console.log(`sent ${sent}`);
  // What is still under way has some time to arrive.
  await sleep(10_000);
  socket.end();
  await sleep(1000);
  process.exit(0);
}

async function measure(): Promise<void> {
  const lab = new Netlab(`lhbc${process.pid}`, values.link);
  const [c, s] = [lab.prefix("c"), lab.prefix("s")];
  const far = Netlab.serverAddress;
  const children = new Children();
  const self = [process.execPath, `${root}/bench/carriers.ts`];
  const both = ["--key", "bench", "--crypt", "aes", "--mode", "fast2", "--nocomp", "--sndwnd", "1024", "--rcvwnd", "1024"];
  const kcptun = (server: string): Child[] => [
    children.start("server", ["kcptun-server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...both], s),
    children.start("client", ["kcptun-client", "-l", `:${ENTRY}`, "-r", server, ...both], c),
  ];
  const ours = (carrier: string): Child[] => [
    children.start("server", [longhaul, "server", "-l", `:${PORT}`, "-t", `127.0.0.1:${TARGET}`, ...both, "--carrier", carrier], s),
    children.start("client", [longhaul, "client", "-l", `:${ENTRY}`, "-r", `${far}:${PORT}`, ...both, "--carrier", carrier], c),
  ];
  const raw = (): Child[] => [
    children.start("raw-s", [longhaul, "raw", "-s", "-l", `0.0.0.0:${RAW_PORT}`, "-r", `127.0.0.1:${PORT}`, "-k", "bench"], s),
    children.start("raw-c", [longhaul, "raw", "-c", "-l", `127.0.0.1:${INNER}`, "-r", `${far}:${RAW_PORT}`, "-k", "bench"], c),
  ];
  const rows: Readonly<Record<string, () => Promise<Child[]>>> = {
    "kcptun, UDP": async () => kcptun(`${far}:${PORT}`),
    "kcptun in longhaul raw, faketcp": async () => {
      const carrier = raw();
      await waitFor(carrier[1]!, "is ready");
      return [...carrier, ...kcptun(`127.0.0.1:${INNER}`)];
    },
    "longhaul --carrier udp": async () => ours("udp"),
    "longhaul --carrier faketcp": async () => ours("faketcp"),
    "longhaul --carrier tcp": async () => ours("tcp"),
  };
  console.log(`${values.link}; ${values.rate} Mbit/s for ${values.seconds} s; one-way delay of messages in ms`);
  try {
    for (const [name, start] of Object.entries(rows)) {
      if (!name.includes(values.only)) continue;
      const receiver = children.start("receiver", [...self, "receive"], s);
      await waitFor(receiver, "listening");
      for (const child of (await start()).slice(-2)) await waitFor(child, child.program === longhaul ? "listening" : "key derivation done");
      await sleep(1500);
      const sender = children.start("sender", [...self, "--seconds", values.seconds, "--rate", values.rate, "send"], c);
      await sender.exited;
      await waitFor(receiver, "delays", 5000).catch(() => undefined);
      show(name, Number(/sent (\d+)/.exec(sender.output())?.[1] ?? 0), receiver.output());
      await children.endAll();
    }
  } finally {
    await children.endAll();
    lab.down();
  }
}

function show(name: string, sent: number, output: string): void {
  const last = output.slice(output.lastIndexOf("delays "));
  const delays = (JSON.parse(/delays (\[.*\])/.exec(last)?.[1] ?? "[]") as number[]).sort((a, b) => a - b);
  const at = (share: number): string => (delays[Math.floor(delays.length * share)] ?? Number.NaN).toFixed(0);
  console.log(
    `${name.padEnd(34)} ${`${delays.length}/${sent}`.padStart(12)}  p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}  most ${at(0.9999)}`,
  );
}

if (positionals[0] === "receive") receive();
else if (positionals[0] === "send") await send(Number(values.seconds), Number(values.rate));
else {
  const missing = netlabMissing();
  if (missing === undefined) await measure();
  else console.log(`skipped: ${missing}`);
}
