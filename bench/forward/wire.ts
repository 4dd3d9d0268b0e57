/**
 * A forwarder between two wires, and what it costs. The script runs itself inside the forwarder's namespace (`insideProxy`); both other ends are one process.
 *
 *   generator g0 ── veth ── in: NAPI a thread on core 1: out ── veth ── s0 sink (drops, counts, sends back)
 *
 * What is counted is the run time of the threads that poll `in` and `out`, for each packet that left: receiving, forwarding, sending and the sink. They go before all else.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import type { Forward } from "../../src/forward/forward.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { NftablesDatapath } from "../../src/forward/nftables/datapath.ts";
import { type Plan, plan } from "../../src/forward/plan.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { Conntrack } from "../../src/host/conntrack.ts";
import { interfaceNamed } from "../../src/host/interface.ts";
import { silentLog } from "../../src/host/log.ts";
import { loadSys } from "../../src/host/sys.ts";
import { Generator } from "./generator.ts";
import { pollingThread } from "./polling-thread.ts";

export const LISTEN = "10.1.0.1";
export const BACKEND = "10.2.0.2";
/** `in` and `out`, on this core; what makes the load on the other. */
const CORE = 1;

/** Undefined in the process that was started, when the other one is through; its exit status is taken over. */
export function insideProxy(script: string): Wire | undefined {
  const given = process.env.LONGHAUL_WIRE;
  if (given !== undefined) return new Wire(given);
  const name = `lhw${process.pid}`;
  try {
    execFileSync("bash", ["-ec", setUp(name)], { timeout: 30_000 });
    const { status } = spawnSync("nsenter", [`--net=/run/netns/${name}p`, process.execPath, script, ...process.argv.slice(2)], {
      stdio: "inherit",
      env: { ...process.env, LONGHAUL_WIRE: name },
    });
    process.exitCode = status ?? 1;
  } finally {
    for (const place of ["p", "g"]) spawnSync("ip", ["netns", "del", name + place], { timeout: 10_000 });
  }
  return undefined;
}

export class Wire {
  readonly proxy: string;
  readonly generator: Generator;
  readonly connections = new Conntrack();
  readonly #threads: readonly string[];
  readonly #far: string;

  constructor(name: string) {
    [this.proxy, this.#far] = [`${name}p`, `${name}g`];
    const mac = Buffer.from(interfaceNamed(loadSys(), "in").mac).toString("hex");
    this.generator = new Generator(`${name}g`, mac, 0);
    // Other namespaces have interfaces of these names too: ours are the newest.
    this.#threads = ["in", "out"].map((wire) => String(pollingThread(wire)));
    for (const pid of this.#threads) run(`taskset -cp ${CORE} ${pid} >/dev/null; renice -n -19 -p ${pid} >/dev/null`);
  }

  /** All that polls goes before processes that have real-time priority themselves: for what counts packets, not their cost. */
  first(): void {
    run(`ip netns exec ${this.#far} sh -c 'echo 1 > /sys/class/net/s0/threaded; echo 1 > /sys/class/net/g0/threaded'`);
    for (const pid of this.#threads) run(`chrt -f -p 10 ${pid}`);
    // As long as packets come the forwarder's thread would not let them have the core.
    for (const end of ["s0", "g0"]) run(`taskset -cp ${CORE} ${pollingThread(end)}; chrt -f -p 11 ${pollingThread(end)}`);
    // Nor is anything sent while we have the sender's core.
    run(`taskset -acp ${CORE} ${process.pid}`);
  }

  /** Frames that came to the forwarder, that left it, and for which there was no room in the ring between a wire's two ends: before the forwarder and behind it. */
  frames(): { came: number; left: number; overrun: number } {
    const [near, far] = [countersOf("in"), countersOf("out")];
    return { came: near[1]!, left: far[9]! + far[11]!, overrun: near[3]! + far[11]! };
  }

  /** ns that the threads have run. */
  runtime(): number {
    return this.#threads.reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]), 0);
  }

  /** Packets that left by an interface, and those dropped behind it because the end's ring was full: all of them cost the same. */
  left(wire: "in" | "out"): number {
    const [, packets, , dropped] = countersOf(wire).slice(8);
    return packets! + dropped!;
  }

  /** ns for each packet that left by `out`; the flows are there before it is measured. */
  async cost(flows: number, seconds: number, rate = 0, forwards = 1): Promise<number> {
    await this.open(flows, forwards);
    await this.generator.send({ flows, forwards, seconds: 0.2, rate });
    const [began, before] = [this.runtime(), this.left("out")];
    await this.generator.send({ flows, forwards, seconds, rate });
    return (this.runtime() - began) / (this.left("out") - before);
  }

  /** Every flow, again and again until next to none can be missing: one that is opened while it is measured costs some microseconds more. */
  async open(flows: number, forwards: number): Promise<void> {
    let missing = 1;
    for (let tries = 0; missing * flows > 0.5; tries++) {
      if (tries === OPENINGS_MAX) throw new Error(`some ${Math.round(missing * flows)} of ${flows} flows could not be opened`);
      const before = this.left("out");
      await this.generator.send({ flows, forwards, random: false, seconds: PATIENCE_SECONDS, rate: OPENED_PER_SECOND });
      missing *= 1 - Math.min(1, (this.left("out") - before) / flows);
    }
  }

  async xdp<T>(mode: "native" | "generic", forwards: number, flowsMax: number, work: () => Promise<T>): Promise<T> {
    const datapath = new XdpDatapath(
      {
        ...{ pinned: false, interfaces: ["in", "out"], mode, flowsPerSecond: 0 },
        limits: { flowsMax, forwardsMax: Math.max(64, forwards * 2) },
      },
      loadSys(),
    );
    await datapath.apply(to(forwards));
    try {
      return await work();
    } finally {
      await datapath.close(false);
    }
  }

  async nftables<T>(forwards: number, work: () => Promise<T>): Promise<T> {
    const datapath = await NftablesDatapath.open({ log: silentLog, watch: false });
    await datapath.apply(to(forwards));
    try {
      return await work();
    } finally {
      await datapath.close(false);
      this.connections.flush();
    }
  }

  /** One rule each way, for all ports, as it is usually set up. */
  async iptables<T>(work: () => Promise<T>): Promise<T> {
    run(`iptables -t nat -A PREROUTING -i in -p udp -d ${LISTEN} -j DNAT --to-destination ${BACKEND}
      iptables -t nat -A POSTROUTING -o out -p udp -j SNAT --to-source 10.2.0.1`);
    try {
      return await work();
    } finally {
      run("iptables -t nat -F");
      this.connections.flush();
    }
  }
}

/** So many forwards of one port each, from nothing. */
export function to(count: number): Plan {
  return plan(
    NOTHING_DESIRED,
    desiredState(
      1,
      Array.from({ length: count }, (_, i) => forwardOf(i)),
    ),
  );
}

export function forwardOf(i: number, text = ""): Forward {
  const forward = parseForward({ name: `f${i}`, listen: `${LISTEN}:${1024 + i}`, to: [`${BACKEND}:${1024 + i}`] }, "bench");
  return { ...forward, text: `${forward.text}${text}` };
}

export function run(command: string): string {
  return execFileSync("sh", ["-c", command], { encoding: "utf8" });
}

/** bytes, packets, errs, drop, fifo, frame, compressed, multicast received; bytes, packets, errs, drop … sent. */
function countersOf(wire: string): number[] {
  const line = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith(`${wire}:`))!;
  return line.split(":")[1]!.trim().split(/\s+/).map(Number);
}

function setUp(name: string): string {
  const there = (command: string): string => `ip netns exec ${name}p sh -c '${command}'`;
  return `
    ip netns add ${name}p; ip netns add ${name}g
    # Nothing but what is counted is to be on the wires.
    for n in p g; do ip netns exec ${name}$n sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1; done
    ip link add g0 netns ${name}g type veth peer name in netns ${name}p
    ip link add s0 netns ${name}g type veth peer name out netns ${name}p
    for n in g0 s0; do ip -n ${name}g link set $n up; done
    for n in lo in out; do ip -n ${name}p link set $n up; done
    ip -n ${name}p addr add 10.1.0.1/24 dev in; ip -n ${name}p addr add 10.2.0.1/24 dev out
    ip -n ${name}p neigh add 10.1.0.2 lladdr 02:00:00:00:00:01 dev in nud permanent
    ip -n ${name}p neigh add 10.2.0.2 lladdr 02:00:00:00:00:02 dev out nud permanent
    ip -n ${name}p route add 10.64.0.0/10 via 10.1.0.2
    ${there("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.in.rp_filter=0 net.ipv4.conf.out.rp_filter=0")}
    ${there("sysctl -qw net.netfilter.nf_conntrack_max=2000000 2>/dev/null || true")}
    ${there("ethtool -K in gro on; ethtool -K out gro on; echo 1 > /sys/class/net/in/threaded; echo 1 > /sys/class/net/out/threaded")}`;
}

const PATIENCE_SECONDS = 8;
const OPENED_PER_SECOND = 100_000;
const OPENINGS_MAX = 8;
