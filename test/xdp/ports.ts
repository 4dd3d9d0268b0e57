/**
 * Source ports and the budget of new flows, by hundreds of thousands of clients in the kernel's test runs. Root; in a namespace of its own.
 *
 *   200,000 clients to one backend through 4 addresses of 60,000 ports: no two alike, none refused
 *   60,000 and more through one address: never two alike, what finds no port is counted
 *   1,000,000 made-up sources: the budget refuses them, flows that run do not notice
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { BenchProgram, template } from "../../bench/forward/bench-program.ts";
import { desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { Bpf } from "../../src/host/bpf/bpf.ts";
import { XDP_REDIRECT } from "../../src/host/bpf/bpf-abi.ts";
import { loadSys } from "../../src/host/sys.ts";
import { makeWorld, World } from "./world.ts";

if (process.argv[2] !== "--inside") {
  const { status } = spawnSync("unshare", ["-n", process.execPath, import.meta.filename, "--inside"], { stdio: "inherit" });
  process.exit(status ?? 1);
}

makeWorld();
const sys = loadSys();
const world = new World(sys);
const bench = new BenchProgram(new Bpf(sys));
const packet = template(100);

interface Case {
  readonly source: string;
  readonly flowsPerSecond?: number;
}

async function open({ source, flowsPerSecond = 0 }: Case): Promise<XdpDatapath> {
  const datapath = new XdpDatapath(
    { pinned: false, interfaces: ["in", "out"], flowsPerSecond, limits: { flowsMax: 262_144, forwardsMax: 16 } },
    sys,
  );
  const forward = parseForward(
    { name: "all", listen: "10.1.0.1:1024", to: ["10.2.0.2:6000"], source: [source], sourceports: "5536-65535" },
    "test",
  );
  await datapath.apply(plan(NOTHING_DESIRED, desiredState(1, [forward])));
  bench.aim(datapath.program);
  return datapath;
}

/** Clients first…first + count − 1, a packet each. */
function clients(count: number, first = 0): void {
  bench.flows(count, 1, false, first);
  bench.rotate.run({ packet, repeat: count, ifindex: world.in });
}

async function unlike(datapath: XdpDatapath): Promise<number> {
  const flows = await datapath.flows(1_000_000);
  assert.equal(new Set(flows.map(({ seenAs, backend }) => `${seenAs} ${backend}`)).size, flows.length, "two flows have one source");
  return flows.length;
}

{
  const datapath = await open({ source: "198.51.100.1-198.51.100.4" });
  clients(200_000);
  assert.equal(await unlike(datapath), 200_000);
  const { counters, forwards } = await datapath.stats();
  assert.deepEqual([counters.ports, forwards.get("all")!.packetsIn, forwards.get("all")!.flows], [0, 200_000, 200_000]);
  console.log("200,000 clients through 240,000 ports: all unlike, none refused");
  await datapath.close(false);
}
{
  const datapath = await open({ source: "198.51.100.1" });
  clients(70_000);
  const flows = await unlike(datapath);
  const { counters } = await datapath.stats();
  assert.equal(flows + counters.ports!, 70_000);
  assert.ok(flows > 59_000 && flows <= 60_000, `${flows} flows`);
  console.log(`70,000 clients through 60,000 ports: ${flows} flows, ${counters.ports} counted as without a port`);
  await datapath.close(false);
}
{
  const datapath = await open({ source: "198.51.100.1-198.51.100.4", flowsPerSecond: 1000 });
  clients(500);
  clients(1_000_000, 1000);
  bench.flows(500, 1, true);
  const { verdict } = bench.rotate.run({ packet, repeat: 100_000, ifindex: world.in });
  const { counters, forwards } = await datapath.stats();
  const { packetsIn, flows, refused } = forwards.get("all")!;
  assert.equal(verdict, XDP_REDIRECT);
  assert.equal(packetsIn + refused, 1_100_500);
  assert.equal(packetsIn - flows, 100_000, "each packet of a flow that runs was forwarded");
  assert.ok(counters.budget! > 900_000 && counters.budget === refused, `${counters.budget} over the budget`);
  console.log(
    `1,000,000 made-up sources: ${counters.budget} over the budget of 1,000 a second, ${flows - 500} became flows; 100,000 packets of 500 flows: none lost`,
  );
  await datapath.close(false);
}
process.exit(0);
