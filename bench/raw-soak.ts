/**
 * A raw server under fire: 20,000 packets a second of noise, repeated and mutated packets for MINUTES, while a client's session goes on. Nothing may crash, the
 * session is never lost, the server's memory stays flat.
 *
 *   node bench/raw-soak.ts [--minutes 1] [--rate 20000] [--seed 1]          needs root
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, Children, longhaul, root, sleep, waitFor } from "../test/interop/children.ts";
import { VethPair } from "../test/interop/veth.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    rate: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
  },
});
const missing = VethPair.missing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const GROWTH_MB_MAX = 16;
const children = new Children();
const veth = new VethPair(`lhsk${process.pid}`);
const node = [process.execPath, "--disable-warning=ExperimentalWarning"];
const end = join(root, "test/interop/raw-end.ts");
const address = VethPair.serverAddress[4];
console.log(`SEED ${values.seed}`);
try {
  const [c, s] = [veth.prefix("c"), veth.prefix("s")];
  await waitFor(children.start("echo", [...node, end, "echo", "7777"], s), "listening");
  const common = ["-k", "soak", "--statussocket", "none", "--sock-buf", "4096"];
  const server = children.start("server", [longhaul, "raw", "-s", "-l", "0.0.0.0:4096", "-r", "127.0.0.1:7777", ...common], s);
  await waitFor(server, "carrying");
  const client = children.start("client", [longhaul, "raw", "-c", "-l", "127.0.0.1:3333", "-r", `${address}:4096`, ...common], c);
  await waitFor(client, "raw connection is ready");
  const talk = children.start("talk", [...node, end, "talk", JSON.stringify({ to: 3333, everyMs: 20, bytes: 400 })], c);
  await sleep(2000);
  const attacker = children.start("attacker", [...node, join(root, "bench/raw-attacker.ts"), address, "4096", values.rate, values.seed], s);
  const samples: number[] = [];
  const seconds = Number(values.minutes) * 60;
  for (let second = 0; second < seconds; second += 5) {
    await sleep(5000);
    assert.equal(server.process.exitCode, null, `the server has ended:\n${server.output().slice(-3000)}`);
    samples.push(residentMegabytes(server));
  }
  const fired = JSON.parse(attacker.output().trim().split("\n").at(-1)!) as { sent: number };
  await children.end(attacker);
  await sleep(500);
  const echoes = [...talk.output().matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
  const share = new Set(echoes).size / (Math.max(...echoes) + 1);
  // The compiler works in the first sixth.
  const settled = samples.slice(Math.ceil(samples.length / 6));
  const third = Math.max(1, Math.floor(settled.length / 3));
  const growth = mean(settled.slice(-third)) - mean(settled.slice(0, third));
  await children.end(client);
  await children.end(server);
  const counters = /\{[^\n]*counters of this process[^\n]*/.exec(server.output())?.[0];
  console.log(`${JSON.stringify(fired)}`);
  console.log(`server: ${counters}`);
  console.log(`resident MB: ${samples.map((mb) => mb.toFixed(0)).join(" ")}; from the first third to the last ${growth.toFixed(1)}`);
  console.log(`echoes: ${(share * 100).toFixed(2)} % of ${Math.max(...echoes) + 1}`);
  assert.ok(fired.sent > Number(values.rate) * seconds * 0.9, "fewer packets were sent than asked");
  assert.doesNotMatch(client.output(), /raw connection is lost/);
  assert.ok(share > 0.97, "datagrams of the session were lost");
  assert.ok(growth < GROWTH_MB_MAX, "the server's memory grows");
  console.log("1 passed, 0 failed, 0 skipped");
} finally {
  await children.endAll();
  veth.down();
}

function residentMegabytes({ process: { pid } }: Child): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
