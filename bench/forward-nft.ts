/**
 * The nftables datapath: how fast forwards are applied and changed, and what a packet costs beside one rule of iptables.
 *
 *   node bench/forward-nft.ts [--forwards 50000] [--rounds 5] [--seconds 2] [--parts apply,packets]          needs root, nft, iptables
 *
 * A packet's cost is the CPU time of the kernel thread that polls the wire it comes by, and does all of the forwarding up to the next wire, by the
 * packets that came out: no matter what else the machine does. Sources, forwarder and sink are namespaces (test/forward/lab.ts).
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type DesiredState, desiredState, NOTHING_DESIRED } from "../src/forward/desired-state.ts";
import { type Forward, parseForward } from "../src/forward/forward.ts";
import { NftablesDatapath } from "../src/forward/nftables/datapath.ts";
import { plan } from "../src/forward/plan.ts";
import { Conntrack } from "../src/host/conntrack.ts";
import { silentLog } from "../src/host/log.ts";
import { BACKEND, CLIENT, insideForwarder, type Lab, LISTEN, labMissing } from "../test/forward/lab.ts";
import { parseArgs } from "../test/script-args.ts";
import { pollingThread } from "./forward/polling-thread.ts";

const { values } = parseArgs({
  options: {
    forwards: { type: "string", default: "50000" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    parts: { type: "string", default: "apply,packets" },
  },
});
const count = Number(values.forwards);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const FIRST_PORT = 10_000;
const connections = new Conntrack();

const missing = labMissing("nft", "iptables", "ethtool");
if (missing !== undefined) console.log(`skipped: ${missing}`);
else {
  const lab = insideForwarder(import.meta.filename);
  if (lab !== undefined) await main(lab);
}

async function main(lab: Lab): Promise<void> {
  if (values.parts.includes("apply")) await applyTimes();
  if (values.parts.includes("packets")) await packetCosts(lab);
  process.exit(0);
}

function many(revision: number, backend: string): DesiredState {
  return desiredState(
    revision,
    Array.from({ length: count }, (_, i) => one(i, backend)),
  );
}

function one(i: number, backend: string): Forward {
  return parseForward(
    { name: `f${i}`, listen: `${LISTEN[4]}:${FIRST_PORT + i}`, to: [`${backend}:${FIRST_PORT + i}`], source: ["10.77.1.1"] },
    "",
  );
}

async function applyTimes(): Promise<void> {
  const times: Record<string, number[]> = {};
  const timed = async <T>(name: string, work: () => Promise<T> | T): Promise<T> => {
    const started = performance.now();
    const result = await work();
    times[name] = [...(times[name] ?? []), performance.now() - started];
    return result;
  };
  for (let round = 0; round < rounds; round++) {
    const datapath = await NftablesDatapath.open({ log: silentLog, watch: false });
    const [first, second] = [await timed("read and check all", () => many(1, BACKEND.a[4])), many(2, BACKEND.b[4])];
    const step = await timed("plan, nothing to all", () => plan(NOTHING_DESIRED, first));
    await timed("apply all", () => datapath.apply(step));
    let state = first;
    for (let i = 0; i < 10; i++) {
      const changed = new Map(state.forwards).set(`f${i * 7}`, one(i * 7, BACKEND.b[4]));
      const next = await timed("overlaps of all", () => desiredState(state.revision + 1, changed.values()));
      const change = await timed("plan, one changed", () => plan(state, next));
      await timed("apply one change", () => datapath.apply(change));
      await timed("verify it", () => datapath.verify());
      state = next;
    }
    const other = await timed("plan, all changed", () => plan(state, second));
    await timed("apply all changed", () => datapath.apply(other));
    await datapath.close(false);
  }
  console.log(`${count} forwards, medians of ${rounds} rounds (least to most), ms`);
  for (const [name, all] of Object.entries(times))
    console.log(`  ${name.padEnd(22)} ${median(all).toFixed(1).padStart(7)}   ${spread(all)}`);
}

/** Names of the cases in the order in which they are measured, again in each round. */
async function packetCosts(lab: Lab): Promise<void> {
  const wire = "wc";
  // A veth polls only where packets may be joined (UDP is not) that were not joined by the sender. Only "ip netns exec" sees the interfaces of the namespace below /sys.
  execFileSync("ip", ["netns", "exec", lab.forwarder, "sh", "-c", `ethtool -K ${wire} gro on && echo 1 > /sys/class/net/${wire}/threaded`]);
  lab.run(
    "a",
    "nft",
    "add table netdev sink; add chain netdev sink in { type filter hook ingress device eth0 priority 0; }; add rule netdev sink in meta protocol ip drop",
  );
  lab.run("c", "iptables", "-A", "OUTPUT", "-p", "icmp", "-j", "DROP");
  lab.run("c", "ethtool", "-K", "eth0", "tso", "off");
  const thread = pollingThread(wire);
  const results: Record<string, number[]> = {};
  let datapath: NftablesDatapath | undefined;
  const cases: Record<string, { up: () => Promise<void>; down: () => Promise<void>; flows: number; ports: number }> = {};
  for (const flows of [1000, count]) {
    cases[`iptables, 1 rule, ${flows} flows`] = { flows, ports: 1, up: async () => iptables("-A"), down: async () => iptables("-D") };
    cases[`nftables, ${count} forwards, ${flows} flows`] = {
      flows,
      ports: flows,
      up: async () => {
        datapath = await NftablesDatapath.open({ log: silentLog, watch: false });
        await datapath.apply(plan(NOTHING_DESIRED, many(1, BACKEND.a[4])));
      },
      down: async () => {
        await datapath?.close(false);
      },
    };
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, { up, down, flows, ports }] of Object.entries(cases)) {
      await up();
      // The first pass begins the flows, the second is measured.
      await run(lab, flows, ports, 0.5);
      const [busy, out] = [nanoseconds(thread), forwarded()];
      await run(lab, flows, ports, seconds);
      results[name] = [...(results[name] ?? []), (nanoseconds(thread) - busy) / (forwarded() - out)];
      await down();
      connections.flush();
    }
  }
  console.log(`CPU time of a packet of 842 bytes, one direction, ns: least and median of ${rounds} rounds of ${seconds} s`);
  for (const [name, all] of Object.entries(results))
    console.log(
      `  ${name.padEnd(40)} ${Math.min(...all)
        .toFixed(0)
        .padStart(6)} ${median(all).toFixed(0).padStart(6)}   ${all.map((ns) => ns.toFixed(0)).join(" ")}`,
    );
}

/** All ports of the listen place are one rule's, as the document has it that this is compared with. */
function iptables(verb: "-A" | "-D"): void {
  const forwarded = ["-p", "udp", "-d"];
  execFileSync("iptables", ["-t", "nat", verb, "PREROUTING", ...forwarded, LISTEN[4], "-j", "DNAT", "--to-destination", BACKEND.a[4]]);
  execFileSync("iptables", ["-t", "nat", verb, "POSTROUTING", ...forwarded, BACKEND.a[4], "-j", "SNAT", "--to-source", "10.77.1.1"]);
}

async function run(lab: Lab, flows: number, ports: number, time: number): Promise<void> {
  const load = { from: CLIENT[4], to: LISTEN[4], port: FIRST_PORT, ports, flows, bytes: 828, seconds: time };
  const [file, ...args] = lab.prefix("c");
  const child = spawn(file!, [...args, process.execPath, join(import.meta.dirname, "forward-load.ts"), JSON.stringify(load)], {
    stdio: "inherit",
  });
  const status = await new Promise((done) => child.on("exit", done));
  if (status !== 0) throw new Error("the load failed");
  await sleep(100);
}

function nanoseconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

/** Packets that left towards the sink. */
function forwarded(): number {
  const line = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith("wa:"))!;
  return Number(line.split(":")[1]!.trim().split(/\s+/)[9]);
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[all.length >> 1]!;
}

function spread(all: readonly number[]): string {
  return `${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)}`;
}
