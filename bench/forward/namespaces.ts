/**
 * CPU per forwarded packet between namespaces: XDP native and generic beside iptables with one rule, in one run. Root.
 *
 *   npm run bench:forward -- --only wire [--packets 1000000] [--rounds 3] [--flows 1000,50000]
 *
 *   generator (live frames of the kernel's test runs) ── veth ── in: proxy, its NAPI a thread on a core of its own: out ── veth ── XDP_DROP
 *
 * What is counted is the run time of that thread for each packet that it sent: receiving, forwarding, sending, and the end's own XDP_DROP. The thread goes before
 * what else runs.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { Bpf } from "../../src/host/bpf/bpf.ts";
import { XdpLink } from "../../src/host/bpf/xdp-link.ts";
import { interfaceNamed } from "../../src/host/interface.ts";
import { loadSys } from "../../src/host/sys.ts";
import { enter } from "../../test/xdp/namespaces.ts";
import { BenchProgram, template } from "./bench-program.ts";

const { values } = parseArgs({
  options: {
    packets: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    flows: { type: "string", default: "1000,50000" },
    inside: { type: "boolean", default: false },
  },
});
if (!values.inside) {
  const { status } = spawnSync(
    "unshare",
    ["-n", "taskset", "-c", "0", process.execPath, import.meta.filename, "--inside", ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  process.exit(status ?? 1);
}

const proxy = `lhbench${process.pid}`;
const packets = Number(values.packets);
const REPEAT = 1_000_000;
const PATIENCE_MS = 4000;
const run = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8" });
const there = (command: string): string => execFileSync("ip", ["netns", "exec", proxy, "sh", "-c", command], { encoding: "utf8" });
run(
  `ip netns add ${proxy}; ip link add g0 type veth peer name in netns ${proxy}; ip link add s0 type veth peer name out netns ${proxy}; ip link set g0 up; ip link set s0 up`,
);
process.on("exit", () => spawnSync("ip", ["netns", "del", proxy]));
there(`ip link set lo up; ip addr add 10.1.0.1/24 dev in; ip addr add 10.2.0.1/24 dev out; ip link set in up; ip link set out up
  ethtool -K in gro on
  ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:01 dev in nud permanent; ip neigh add 10.2.0.2 lladdr $(cat /sys/class/net/out/address) dev out nud permanent
  ip route add 10.64.0.0/10 via 10.1.0.2
  sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.in.rp_filter=0
  echo 1 > /sys/class/net/in/threaded`);
const mac = Buffer.from(there("cat /sys/class/net/in/address").trim().replaceAll(":", ""), "hex");
const thread = readdirSync("/proc").find((pid) => /^\d+$/.test(pid) && commandOf(pid).startsWith("napi/in-"));
if (thread === undefined) throw new Error("the interface has no NAPI thread");
for (const pid of readdirSync("/proc"))
  if (/^\d+$/.test(pid) && commandOf(pid).startsWith("napi/in-")) run(`taskset -cp 1 ${pid}; renice -n -19 -p ${pid}`);

const sys = loadSys();
const bpf = new Bpf(sys);
const bench = new BenchProgram(bpf);
const g0 = interfaceNamed(sys, "g0").ifindex;
XdpLink.attach(bpf, bench.drop, interfaceNamed(sys, "s0").ifindex, "native");
XdpLink.attach(bpf, bench.drop, g0, "native");
bench.outBy(g0);
const packet = template(842, mac);
// No checksum of UDP, as conntrack would look at it.
packet.fill(0, 40, 42);

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}

function runtime(): number {
  let sum = 0;
  for (const pid of readdirSync("/proc"))
    if (/^\d+$/.test(pid) && commandOf(pid).startsWith("napi/in-"))
      sum += Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
  return sum;
}

/** Packets that left the proxy, and those that were dropped behind it because the end's ring was full: all of them cost the same. */
function handled(): number {
  const [, , packets, , , dropped] = /out:(?:\s+\d+){8}(.*)/.exec(there("cat /proc/net/dev"))![1]!.split(/\s+/).map(Number);
  return packets! + dropped!;
}

/** A signal ends a run before its time, on a busy machine nearly every one: until `enough`, or as long as is worth waiting. */
function send(enough: () => boolean): void {
  for (const until = performance.now() + PATIENCE_MS; !enough() && performance.now() < until; ) {
    try {
      bench.send.run({ packet, repeat: REPEAT, ifindex: g0, live: true, batch: 64 });
    } catch (error) {
      if ((error as { code?: string }).code !== "EINTR") throw error;
    }
  }
}

/** ns of the thread for each packet. */
function measure(flows: number): number {
  bench.flows(flows, 1, false, 0);
  send(() => bench.made >= 2 * flows);
  bench.flows(flows, 1, true);
  run("sleep 0.2");
  const [began, before] = [runtime(), handled()];
  send(() => handled() - before >= packets);
  run("sleep 0.2");
  return (runtime() - began) / (handled() - before);
}

async function xdp<T>(mode: "native" | "generic", work: () => T): Promise<T> {
  const datapath = enter(
    proxy,
    () =>
      new XdpDatapath(
        { pinned: false, interfaces: ["in", "out"], mode, flowsPerSecond: 0, limits: { flowsMax: 65_536, forwardsMax: 64 } },
        sys,
      ),
  );
  const forward = parseForward({ name: "all", listen: "10.1.0.1:1024", to: ["10.2.0.2:6000"] }, "bench");
  await datapath.apply(plan(NOTHING_DESIRED, desiredState(1, [forward])));
  try {
    return work();
  } finally {
    await datapath.close(false);
  }
}

function iptables<T>(work: () => T): T {
  there(`iptables -t nat -A PREROUTING -i in -p udp --dport 1024 -j DNAT --to-destination 10.2.0.2:6000
    iptables -t nat -A POSTROUTING -o out -p udp -j SNAT --to-source 10.2.0.1`);
  try {
    return work();
  } finally {
    there("iptables -t nat -F; conntrack -F 2>/dev/null || true");
  }
}

console.log("flows    iptables  XDP native  generic   ns a packet, least of the rounds");
for (const flows of values.flows.split(",").map(Number)) {
  const found: Record<string, number[]> = { iptables: [], native: [], generic: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    found.iptables!.push(iptables(() => measure(flows)));
    found.native!.push(await xdp("native", () => measure(flows)));
    found.generic!.push(await xdp("generic", () => measure(flows)));
  }
  const least = (name: string): number => Math.min(...found[name]!);
  const [i, n, g] = [least("iptables"), least("native"), least("generic")];
  console.log(
    `${String(flows).padEnd(8)} ${i.toFixed(0).padStart(8)}  ${n.toFixed(0).padStart(10)}  ${g.toFixed(0).padStart(7)}   iptables is ${(i / n).toFixed(1)} × native, ${(i / g).toFixed(1)} × generic`,
  );
}
process.exit(0);
