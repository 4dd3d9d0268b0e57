/**
 * The XDP program alone, in test runs of the kernel: nanoseconds a packet at 1, 50,000 and 500,000 flows, new flows a second, and how long changes of
 * forwards take. Root; in a network namespace of its own.
 *
 *   npm run bench:forward -- --only run [--repeat 1000000 --rounds 7 --forwards 50000 --flows 1,50000,500000 --changes 5]
 *
 * Changes are made by so many processes one after another, each of them new and free to use all cores, as the one that a user starts: its code is being compiled meanwhile.
 *
 * Long rounds, since a short one finds the caches as other processes left them; and on one core. The kernel's clock runs on while others have that
 * core: the least is a core undisturbed, the median what was had here. Tables are as large as --flows asks.
 * Beside it what the same packets cost a program that reads and writes one line of a table of the same size, waits for it and does nothing else: so much is this machine's
 * memory, at the same moment.
 * Each twice: `redirected`, in by one interface and out by another; and `turned`, back by the interface it came from (one network card), which needs no call into the kernel. What such a
 * call costs by itself stands beside the floor: on machines whose kernel slows returns down (Spectre's relatives) it is much of a packet's cost, and no program's.
 * The same packets go through the kernel's own hash table, with keys and values of the same size: one look-up, nothing else. And, with LONGHAUL_BESIDE=PATH, through a program
 * that somebody pinned there and set up: it has to be an XDP program that answers XDP_TX and puts an IPv4 header of 20 bytes before the packet, as a balancer does
 * (all packets go to port 1024 of 10.1.0.1 then, and making room for the header is no part of its cost). Ours and these run by turns.
 *
 * A packet's cost = (header written + program) − (header written + nothing) + (nothing): what writing the header costs is no part of it, what a run itself costs is.
 */
import { spawnSync } from "node:child_process";
import { type DesiredState, desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { flowHomes } from "../../src/forward/xdp/shapes.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { Bpf, cString } from "../../src/host/bpf/bpf.ts";
import { BPF_OBJ_GET } from "../../src/host/bpf/bpf-abi.ts";
import { BpfProgram } from "../../src/host/bpf/bpf-program.ts";
import { interfaceNamed } from "../../src/host/interface.ts";
import { loadSys } from "../../src/host/sys.ts";
import { parseArgs } from "../../test/script-args.ts";
import { BenchProgram, template } from "./bench-program.ts";

const { values } = parseArgs({
  options: {
    repeat: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    forwards: { type: "string", default: "50000" },
    flows: { type: "string", default: "1,50000,500000" },
    changes: { type: "string", default: "5" },
    inside: { type: "string" },
  },
});
if (values.inside === undefined) {
  const inside = (part: "changes" | "packets", ...prefix: string[]): void => {
    const command = [...prefix, process.execPath, import.meta.filename, "--inside", part, ...process.argv.slice(2)];
    const { status } = spawnSync("unshare", ["-n", ...command], { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  };
  for (let i = 0; i < Number(values.changes); i++) inside("changes");
  inside("packets", "taskset", "-c", "1");
  process.exit(0);
}

const repeat = Number(values.repeat);
const rounds = Number(values.rounds);
const forwardCount = Number(values.forwards);
const MAC = "02:00:00:00:00:99";
const setup = [
  ["link", "set", "lo", "up"],
  ...["in", "out"].flatMap((name) => [
    ["link", "add", name, "type", "veth", "peer", "name", `${name}2`],
    ["link", "set", name, "up"],
    ["link", "set", `${name}2`, "up"],
  ]),
  ["addr", "add", "10.1.0.1/24", "dev", "in"],
  ["addr", "add", "10.2.0.1/24", "dev", "out"],
  ["addr", "add", "10.3.0.1/24", "dev", "in"],
  ["neigh", "add", "10.1.0.2", "lladdr", MAC, "dev", "in", "nud", "permanent"],
  ["neigh", "add", "10.2.0.2", "lladdr", MAC, "dev", "out", "nud", "permanent"],
  ["neigh", "add", "10.3.0.2", "lladdr", MAC, "dev", "in", "nud", "permanent"],
  ["route", "add", "10.64.0.0/10", "via", "10.1.0.2"],
];
for (const args of setup) if (spawnSync("ip", args, { stdio: "inherit" }).status !== 0) process.exit(1);
spawnSync("sysctl", ["-qw", "net.ipv4.ip_forward=1"]);

const sys = loadSys();
const sizes = values.flows.split(",").map(Number);
const flowsMaxOf = (flows: number): number => Math.max(flows, 16_384);
const placesOf = (flows: number): number => flowHomes(flowsMaxOf(flows));
const bpf = new Bpf(sys);
const most = values.inside === "packets" ? Math.max(...sizes) : 1;
const bench = new BenchProgram(bpf, placesOf(most), placesOf(most) / 2);
const beside = values.inside === "packets" ? pinnedProgram(process.env.LONGHAUL_BESIDE) : undefined;
const { ifindex } = interfaceNamed(sys, "in");
const packet = template(842);

function open(flowsMax: number): XdpDatapath {
  return new XdpDatapath({ pinned: false, interfaces: ["in", "out"], turn: "tx", limits: { flowsMax }, flowsPerSecond: 0 }, sys);
}

function forwardsTo(backend: string): DesiredState {
  return desiredState(
    1,
    Array.from({ length: forwardCount }, (_, i) =>
      parseForward({ name: `f${i}`, listen: `10.1.0.1:${1024 + i}`, to: [`${backend}:${1024 + i}`] }, "bench"),
    ),
  );
}

const XDP_TX = 3;
const NOTHING: Found = { least: 0, median: 0 };
const BESIDE_MS_PER_FLOW = 0.02;
const WAYS = { redirected: "10.2.0.2", turned: "10.3.0.2" } as const;
const state = forwardsTo(WAYS.redirected);
const all = plan(NOTHING_DESIRED, state);

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** All forwards into an empty datapath, then one of them changed again and again. */
async function changes(datapath: XdpDatapath): Promise<void> {
  const first = await timed(() => datapath.apply(all));
  const single: number[] = [];
  let now = state;
  for (let i = 0; i < 20; i++) {
    const text = { name: `f${i}`, listen: `10.1.0.1:${1024 + i}`, to: [`10.2.0.2:${2048 + i}`] };
    const next = desiredState(
      now.revision + 1,
      [...now.forwards.values()].map((forward) => (forward.name === `f${i}` ? parseForward(text, "bench") : forward)),
    );
    const change = plan(now, next);
    single.push(await timed(() => datapath.apply(change)));
    now = next;
  }
  console.log(
    `${forwardCount} forwards applied: ${first.toFixed(1)} ms; one change: median ${median(single).toFixed(3)} ms, longest ${Math.max(...single).toFixed(3)} ms`,
  );
  await datapath.apply(plan(now, state));
}

interface Found {
  readonly least: number;
  readonly median: number;
}

/** Least and median of the rounds of each, by turns. */
function measure<Name extends string>(runs: Readonly<Record<Name, () => number>>): Record<Name, Found> {
  const names = Object.keys(runs) as Name[];
  const all = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) for (const name of names) all[name].push(runs[name]());
  return Object.fromEntries(names.map((name) => [name, { least: Math.min(...all[name]), median: median(all[name]) }])) as Record<
    Name,
    Found
  >;
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[of.length >> 1]!;
}

if (values.inside === "changes") {
  const datapath = open(flowsMaxOf(0));
  await changes(datapath);
  await datapath.close(false);
  process.exit(0);
}

const turned = plan(NOTHING_DESIRED, forwardsTo(WAYS.turned));
const onePass = (program: BpfProgram): number => {
  bench.aim(program);
  return bench.rotate.run({ packet, repeat, ifindex }).nanoseconds;
};
const rewound = (program: BpfProgram): number => {
  bench.aim(program);
  const { nanoseconds, verdict } = bench.rewind.run({ packet, repeat, ifindex });
  if (verdict !== XDP_TX) throw new Error(`${program.name} answers ${verdict} and not XDP_TX`);
  return nanoseconds;
};
bench.flows(1, forwardCount, true);
bench.frame(packet.length);
bench.outBy(ifindex, new Uint8Array(6));
const idle = measure({
  empty: () => bench.empty.run({ packet, repeat, ifindex }).nanoseconds,
  header: () => onePass(bench.empty),
  leave: () => onePass(bench.leave),
});
const floor = idle.empty;
console.log(
  `floor of a run: ${floor.least} ns (median ${floor.median}); a program that does nothing but redirect: ${idle.leave.least - idle.header.least} ns above it`,
);
console.log("ns a packet, least (median)");
console.log(
  "  flows  way         ours         above the floor   one line of memory   the kernel's hash table   beside          ours ÷ beside   M packets/s a core   new flows a second",
);
for (const flows of sizes) {
  for (const [way, given] of [
    ["redirected", all],
    ["turned", turned],
  ] as const) {
    const datapath = open(flowsMaxOf(flows));
    await datapath.apply(given);
    bench.aim(datapath.program);
    bench.flows(flows, forwardCount, false, 0);
    const began = performance.now();
    bench.rotate.run({ packet, repeat: flows, ifindex });
    const perSecond = flows / ((performance.now() - began) / 1000);
    bench.lines(placesOf(flows));
    const passed = measureAll(flows, datapath.program);
    // Its own part: without the header's, and with the floor.
    const own = (run: Found, without: Found, above: Found): Found => ({
      least: run.least - without.least + above.least,
      median: run.median - without.median + above.median,
    });
    const ours = own(passed.ours, passed.header, floor);
    const other = beside && own(passed.beside, passed.grow, floor);
    const ratio = other && `${(ours.least / other.least).toFixed(2)} (${(ours.median / other.median).toFixed(2)})`;
    const columns = [
      [String(flows), 7],
      [` ${way}`.padEnd(12), 12],
      [shown(ours), -13],
      [String(ours.least - floor.least), -18],
      [shown(own(passed.line, passed.header, NOTHING)), -21],
      [shown(own(passed.hashed, passed.header, NOTHING)), -26],
      [other ? shown(other) : "", -16],
      [ratio ?? "", -16],
      [(1000 / ours.median).toFixed(1), -21],
      [flows > 1 ? Math.round(perSecond).toLocaleString("en") : "", -1],
    ] as const;
    console.log(columns.map(([text, width]) => (width < 0 ? text.padEnd(-width) : text.padStart(width))).join(""));
    const { counters, forwards: each } = await datapath.stats();
    let sum = 0;
    for (const { flows: count } of each.values()) sum += count;
    const odd = Object.entries(counters).filter(
      ([name, count]) => count > 0 && name !== "passes" && name !== "options" && name !== "other",
    );
    if (sum !== flows || odd.length > 0)
      console.log(`${sum} flows; counted besides: ${odd.map(([name, count]) => `${name} ${count}`).join(", ")}`);
    await datapath.close(false);
  }
}
process.exit(0);

/** Each once before it counts, so that its flows are known; a balancer may take in no more than some ten thousand a second. */
function measureAll(flows: number, program: BpfProgram): Record<"ours" | "header" | "line" | "hashed" | "grow" | "beside", Found> {
  const of = (forwards: number, run: () => number) => () => {
    bench.flows(flows, forwards, true);
    return run();
  };
  const runs = {
    ours: of(forwardCount, () => onePass(program)),
    header: of(forwardCount, () => onePass(bench.empty)),
    line: of(forwardCount, () => onePass(bench.touch)),
    hashed: of(forwardCount, () => onePass(bench.hashed)),
    grow: of(1, () => rewound(bench.grow)),
    beside: of(1, () => (beside === undefined ? 0 : rewound(beside))),
  };
  for (const run of Object.values(runs)) run();
  const until = performance.now() + (beside === undefined ? 0 : BESIDE_MS_PER_FLOW * flows);
  while (performance.now() < until) runs.beside();
  return measure(runs);
}

function shown({ least, median: middle }: Found): string {
  return `${least} (${middle})`;
}

function pinnedProgram(path: string | undefined): BpfProgram | undefined {
  if (path === undefined) return undefined;
  bpf.attr().u64(0, cString(sys, path).address);
  return new BpfProgram(bpf, bpf.call(BPF_OBJ_GET, path), path);
}
