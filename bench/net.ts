/**
 * Goodput and CPU of `longhaul/net`: one stream from a process to another over loopback, the median of several runs.
 *
 *   node bench/net.ts [--megabytes N] [--runs N]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "../src/net/server.ts";
import { connect } from "../src/net/tunnel.ts";
import { parseArgs } from "../test/script-args.ts";

const shared = { key: "bench", mode: "fast3", nocomp: true, sndwnd: 4096, rcvwnd: 4096 } as const;
const settings = [
  { name: "none, no FEC", options: { ...shared, crypt: "none", datashard: 0, parityshard: 0 } },
  { name: "aes, no FEC", options: { ...shared, crypt: "aes", datashard: 0, parityshard: 0 } },
  { name: "aes, FEC 10/3", options: { ...shared, crypt: "aes", datashard: 10, parityshard: 3 } },
] as const;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** In the child: takes everything of one stream, then tells what it cost. */
async function sink(index: number): Promise<void> {
  const server = createServer(settings[index]!.options, (stream) => {
    const before = cpuSeconds();
    stream.resume().once("close", () => process.send!({ cpu: cpuSeconds() - before }));
  }).listen({ host: "127.0.0.1" });
  await once(server, "listening");
  process.send!({ port: server.address()!.port });
}

async function run(index: number, bytes: number): Promise<{ rate: number; cpu: number }> {
  const child = fork(import.meta.filename, ["--sink", String(index)]);
  try {
    const [{ port }] = await once(child, "message");
    const tunnel = connect({ ...settings[index]!.options, host: "127.0.0.1", port });
    const stream = tunnel.open();
    const piece = Buffer.alloc(65_536, 1);
    const started = performance.now();
    const before = cpuSeconds();
    for (let left = bytes; left > 0; left -= piece.length) if (!stream.write(piece)) await once(stream, "drain");
    const told = once(child, "message");
    stream.resume().end();
    const [{ cpu }] = await told;
    const seconds = (performance.now() - started) / 1000;
    const both = cpuSeconds() - before + cpu;
    await tunnel.close();
    return { rate: bytes / seconds / 1e6, cpu: both / (bytes / 1e9) };
  } finally {
    child.kill();
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "100" },
    runs: { type: "string", default: "3" },
    sink: { type: "string" },
  },
});
if (values.sink !== undefined) await sink(Number(values.sink));
else {
  for (const [index, { name }] of settings.entries()) {
    const runs = [];
    for (let i = 0; i < Number(values.runs); i++) runs.push(await run(index, Number(values.megabytes) * 1e6));
    const [rates, cpus] = [runs.map(({ rate }) => rate), runs.map(({ cpu }) => cpu)];
    const spread = `${Math.min(...rates).toFixed(0)}…${Math.max(...rates).toFixed(0)}`;
    console.log(`${name.padEnd(16)} ${median(rates).toFixed(0)} MB/s (${spread}), ${median(cpus).toFixed(1)} CPU s/GB of both ends`);
  }
}
