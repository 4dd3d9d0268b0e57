/**
 * How many datagrams a second the tunnel forwards from an application to a target, and what they cost at both ends, over loopback.
 *
 *   npm run bench:udp-forward -- [--seconds 3] [--rates 20000,100000] [--only TEXT]
 *
 * The application sends at the rate, the target counts. What does not arrive was dropped where the log of /metrics says; between two processes on one
 * machine that is mostly a full socket buffer, because a process did not get a processor in time.
 */
import { readFileSync } from "node:fs";
import { chooseIo } from "../src/host/choose.ts";
import { type LoopWorker, startLoopWorker } from "../src/host/worker.ts";
import { type Child, Children, longhaul, sleep, waitFor } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";
import type { Command, Data, Figures, Message } from "./udp-program.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rates: { type: "string", default: "20000,100000" },
    only: { type: "string", default: "" },
  },
});
const [wan, local] = [24_200, 24_201];
const ticksPerSecond = 100;
const children = new Children();

class End {
  readonly worker: LoopWorker<Command>;
  readonly port: Promise<number>;
  #answered: (figures: Figures) => void = () => {};

  constructor(data: Data) {
    let started: (port: number) => void = () => {};
    this.port = new Promise((settle) => {
      started = settle;
    });
    this.worker = startLoopWorker<Data, Command, Message>({
      module: new URL("./udp-program.ts", import.meta.url),
      data,
      io: chooseIo().kind,
      onMessage: (message) => (message.kind === "started" ? started(message.port) : this.#answered(message.figures)),
    });
  }

  figures(): Promise<Figures> {
    const answer = new Promise<Figures>((settle) => {
      this.#answered = settle;
    });
    this.worker.post({ kind: "figures" });
    return answer;
  }
}

function cpuSeconds({ process }: Child): number {
  const fields = readFileSync(`/proc/${process.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function measure(name: string, options: readonly string[], bytes: number, perSecond: number): Promise<void> {
  const target = new End({ role: "receive", bytes, port: 0 });
  const common = ["--key", "bench", "--quiet", "--statussocket", "none", ...options];
  const server = children.start("server", [
    ...[longhaul, "server", "-l", `127.0.0.1:${wan}`, "--targets", `sink=udp:127.0.0.1:${await target.port}`, ...common],
  ]);
  const client = children.start("client", [
    ...[longhaul, "client", "-r", `127.0.0.1:${wan}`, "--forward", `udp:127.0.0.1:${local}=sink`, ...common],
  ]);
  await Promise.all([server, client].map((child) => waitFor(child, "sockets chosen").catch(() => undefined)));
  await sleep(1000);
  const application = new End({ role: "send", bytes, port: local, perSecond });
  await application.port;
  await sleep(1500);
  const before = [await application.figures(), await target.figures()] as const;
  const cpuBefore = [client, server].map(cpuSeconds);
  await sleep(Number(values.seconds) * 1000);
  const after = [await application.figures(), await target.figures()] as const;
  const cpu = [client, server].map((child, i) => cpuSeconds(child) - cpuBefore[i]!);
  const sent = after[0].counters.sentDatagrams - before[0].counters.sentDatagrams;
  const arrived = after[1].counters.receivedDatagrams - before[1].counters.receivedDatagrams;
  const elapsed = (after[1].now - before[1].now) / 1000;
  const cost = cpu.map((seconds) => ((seconds * 1e6) / arrived).toFixed(2)).join(", ");
  console.log(
    `| ${name} | ${bytes} | ${Math.round(sent / elapsed / 1000)} k/s | ${(arrived / elapsed / 1000).toFixed(1)} k/s | ${((100 * arrived) / sent).toFixed(1)} % | ${cost} |`,
  );
  await Promise.all([application.worker.stop(), target.worker.stop(), children.end(client), children.end(server)]);
}

const settings: readonly (readonly [string, readonly string[]])[] = [
  ["none, no FEC", ["--crypt", "none", "--ds", "0", "--ps", "0"]],
  ["aes, FEC 10/3", []],
];

try {
  console.log("| setting | bytes | sent | arrived | | µs of CPU a datagram: client, server |\n|---|---|---|---|---|---|");
  for (const [name, options] of settings) {
    if (!name.includes(values.only)) continue;
    for (const bytes of [64, 1200]) for (const rate of values.rates.split(",")) await measure(name, options, bytes, Number(rate));
  }
} finally {
  await children.endAll();
}
