/**
 * Random packets through the XDP program in the kernel's test runs and through the model: same verdict, same bytes.
 *
 *   node test/xdp/model-run.ts [--packets 200000] [--rounds 1] [--seed N]
 *
 * Root; it makes a network namespace for itself. Each round begins with empty tables and the seed after the one before. A difference prints the round's seed, the number
 * of the packet and its bytes. `npm run test:xdp-model` runs 10,000,000 packets, some ten minutes of a core.
 */
import { spawnSync } from "node:child_process";
import { Prng } from "../../src/base/prng.ts";
import { desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { loadSys } from "../../src/host/sys.ts";
import { parseArgs } from "../script-args.ts";
import { Model, type ModelForward, PASS } from "./model.ts";
import { type Ends, fragmentFrames, icmpFrame, spoil, udpFrame } from "./packets.ts";
import { hex, makeWorld, World } from "./world.ts";

const { values } = parseArgs({
  options: {
    packets: { type: "string", default: "200000" },
    rounds: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    inside: { type: "boolean", default: false },
  },
});
if (!values.inside) {
  const { status } = spawnSync("unshare", ["-n", process.execPath, import.meta.filename, "--inside", ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}

const packets = Number(values.packets);
const rounds = Number(values.rounds);
const firstSeed = Number(values.seed);
console.log(`SEED=${firstSeed}`);
makeWorld();
const sys = loadSys();
const world = new World(sys);

const entries = [
  { name: "one", listen: "10.1.0.1:5000", to: ["10.2.0.2:6000"] },
  { name: "three", listen: "10.1.0.1:5001", to: ["10.2.0.2:6000@3", "10.2.0.3:6001", "10.7.0.2:6002"] },
  { name: "source", listen: "10.1.0.1:5002", to: ["10.2.0.3:6001", "10.2.0.4:6001"], balance: "source" },
  { name: "ports", listen: "10.1.0.1:7000-7019", to: ["10.2.0.3"] },
  { name: "range", listen: "192.0.2.0-192.0.2.9:7010-7012", to: ["10.2.0.4:8000", "10.2.0.2"] },
  { name: "clear", listen: "10.1.0.1:5003", to: ["10.2.0.2:6100", "10.7.0.2:6100"], source: ["transparent"] },
  { name: "pool", listen: "10.1.0.1:5004", to: ["10.2.0.2:6000"], source: ["198.51.100.1-198.51.100.3"], sourceports: "20000-29999" },
  { name: "denies", listen: "10.1.0.1:5005", to: ["10.2.0.2:6005"], allow: ["10.64.0.0/16"], deny: ["10.64.0.8/29"] },
  { name: "drains", listen: "10.1.0.1:5006", to: ["10.2.0.2:6000"], draining: true },
  { name: "same", listen: "10.1.0.1:5007", to: ["10.1.0.2:6007"] },
  { name: "six", listen: "[fd01::1]:5000", to: ["[fd02::2]:6000", "[fd02::3]:6000"] },
  { name: "six range", listen: "[fd01::1]:7000-7009", to: ["[fd02::2]"] },
  { name: "six clear", listen: "[fd01::1]:5003", to: ["[fd02::3]:6100"], source: ["transparent"] },
  { name: "six denies", listen: "[fd01::1]:5005", to: ["[fd02::3]:6005"], deny: ["fd64::8/125"] },
].map((entry) => ({ ...entry, name: entry.name.replace(" ", "-") }));
const forwards = entries.map((entry) => parseForward(entry, "test"));

const clients4 = [
  ...Array.from({ length: 24 }, (_, i) => hex(`10.64.${i >> 4}.${i & 15}`)),
  hex("10.1.0.2"),
  hex("10.1.0.77"),
  hex("10.9.0.2"),
];
const clients6 = [...Array.from({ length: 24 }, (_, i) => hex(`fd64::${i.toString(16)}`)), hex("fd01::2")];
const liars4 = ["0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255", "8.8.8.8", "10.1.0.1", "10.2.0.2"].map(hex);
const liars6 = ["::", "::1", "ff02::1", "fe80::1", "2001:db8::1", "fd01::1", "fd02::2"].map(hex);
const listeners = entries.flatMap(({ listen }) => {
  const [, host, ports] = /^\[?([^\]]*?)\]?:([\d-]+)$/.exec(listen)!;
  const [first, last = first] = ports!.split("-").map(Number);
  const address = host!.split("-")[0]!;
  return [first!, last!, first! + 1].map((port) => ({ address: hex(address), port }));
});

const modelForwards: ModelForward[] = forwards.map((forward) => {
  const { listen, backends, source, allow, deny, state } = forward;
  const value = (address: string): bigint => BigInt(`0x${address}`);
  const inside = (ranges: typeof allow, address: string): boolean =>
    ranges.some(({ first, last }) => value(address) >= first && value(address) <= last);
  const asHex = (family: number, address: bigint): string => address.toString(16).padStart(family === 4 ? 8 : 32, "0");
  const own = (address: string): string =>
    address.length === 32
      ? hex("fd02::1")
      : address.startsWith("0a07")
        ? hex("10.7.0.1")
        : address.startsWith("0a01")
          ? hex("10.1.0.1")
          : hex("10.2.0.1");
  const targets = state === "draining" ? [] : backends.map(({ family, address, port }) => ({ address: asHex(family, address), port }));
  const pool =
    source.kind === "addresses"
      ? source.ranges.flatMap(({ family, first, last }) =>
          Array.from({ length: Number(last - first) + 1 }, (_, i) => asHex(family, first + BigInt(i))),
        )
      : targets.map(({ address }) => own(address));
  return {
    name: forward.name,
    listens: (address, port) =>
      (address.length === 8) === (listen.addresses.family === 4) &&
      inside([listen.addresses], address) &&
      port >= listen.ports.first &&
      port <= listen.ports.last,
    backends: targets,
    sources: source.kind === "transparent" ? undefined : new Set(pool),
    ports: source.kind === "transparent" ? { first: 0, last: 0 } : source.ports,
    admits: (client) => !inside(deny, client) && (allow.length === 0 || inside(allow, client)),
  };
});

/** Half of the packets of a round with each way to send a frame back where it came from. */
let count = 0;
let opened = 0;
const totals = new Map<string, number>();
const began = performance.now();
for (let turns = 0; turns < 2 * rounds; turns++) {
  const seed = firstSeed + (turns >> 1);
  const turn = turns % 2 === 0 ? "tx" : "redirect";
  const random = new Prng(turn === "tx" ? seed : ~seed);
  const pick = <T>(list: readonly T[]): T => list[random.u32() % list.length]!;
  const datapath = new XdpDatapath(
    { pinned: false, interfaces: ["in", "out"], flowsPerSecond: 0, answersPerSecond: 0, turn, vlans: world.vlans },
    sys,
  );
  await datapath.apply(plan(NOTHING_DESIRED, desiredState(1, forwards)));
  const model = new Model({ forwards: modelForwards, wayTo: (address) => world.wayTo(address), redirects: turn === "redirect" });
  const known: Ends[] = [];
  const verdicts = new Map<number, number>();
  let flows = 0;
  /** Fragments that come after their first, mostly. */
  const later: { frame: Uint8Array; ifindex: number }[] = [];
  for (let i = 0; i < packets / 2; i++) {
    count++;
    const six = random.u32() % 3 === 0;
    const kind = random.u32() % 100;
    let frame: Uint8Array;
    let ifindex = world.in;
    const payload = random.u32() % 60;
    if (later.length > 0 && kind < 6) {
      const at = random.u32() % later.length;
      ({ frame, ifindex } = later.splice(at, 1)[0]!);
    } else if (kind < 45 || known.length === 0) {
      const listener = pick(listeners.filter(({ address }) => (address.length === 32) === six));
      const lies = random.u32() % 12 === 0;
      const saddr = lies ? pick(six ? liars6 : liars4) : pick(six ? clients6 : clients4);
      const ends = {
        saddr,
        daddr: listener.address,
        sport: random.u32() % 60 === 0 ? 0 : 4000 + (random.u32() % 16),
        dport: listener.port,
      };
      if (random.u32() % 20 === 0) ifindex = world.out;
      const options = { payload, tag: saddr === hex("10.9.0.2") ? 9 : random.u32() % 20 === 0 ? 5 : 0 };
      frame = udpFrame(random, ends, options);
      if (random.u32() % 10 === 0) {
        const both = fragmentFrames(random, ends, options);
        frame = both[0];
        later.push({ frame: both[1], ifindex });
      }
    } else if (kind < 55) {
      const ends = pick(known);
      const way = world.wayTo(ends.saddr);
      ifindex = way?.ifindex ?? world.in;
      const both = fragmentFrames(random, ends, { payload, tag: way?.tag ?? 0 });
      // Seldom in the wrong order.
      const [now, then] = random.u32() % 16 === 0 ? [both[1], both[0]] : both;
      frame = now;
      later.push({ frame: then, ifindex });
      if (later.length > 100) later.shift();
    } else if (kind < 85) {
      const ends = pick(known);
      const way = world.wayTo(ends.saddr);
      ifindex = way?.ifindex ?? world.in;
      frame = udpFrame(random, ends, { payload: random.u32() % 25 === 0 ? 1330 + (random.u32() % 140) : payload, tag: way?.tag ?? 0 });
    } else {
      const ends = pick(known);
      const about = { saddr: ends.daddr, daddr: ends.saddr, sport: ends.dport, dport: ends.sport };
      const way = world.wayTo(ends.saddr);
      ifindex = way?.ifindex ?? world.in;
      const router = random.u32() % 2 === 0 ? ends.saddr : ends.saddr.length === 8 ? hex("10.99.0.1") : hex("fd99::1");
      frame = icmpFrame(random, about, router, { payload, tag: way?.tag ?? 0 });
    }
    if (random.u32() % 4 === 0) frame = Uint8Array.from(spoil(random, frame));
    if (frame.length < 14) continue;
    const { verdict, packet } = datapath.program.run({ packet: frame, ifindex });
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    const problem = model.check(frame, ifindex, verdict, packet);
    if (problem !== undefined) {
      console.error(
        `packet ${i} (${turn}): ${problem}\n  in  ${Buffer.from(frame).toString("hex")} at ${ifindex === world.in ? "in" : "out"}\n  out ${Buffer.from(packet).toString("hex")} verdict ${verdict}`,
      );
      console.error(`again: node test/xdp/model-run.ts --packets ${packets} --seed ${seed}      ${count} packets had gone well`);
      process.exit(1);
    }
    if (model.flows.size > flows) {
      flows = model.flows.size;
      for (const key of [...model.flows.keys()].slice(-2)) {
        const [saddr, sport, daddr, dport] = key.split(" ");
        known.push({ saddr: saddr!, daddr: daddr!, sport: Number(sport), dport: Number(dport) });
      }
    }
  }
  const { counters } = await datapath.stats();
  await datapath.close(false);
  opened += flows / 2;
  for (const [name, number] of Object.entries(counters)) if (number > 0) totals.set(name, (totals.get(name) ?? 0) + number);
  for (const [verdict, number] of verdicts) totals.set(`verdict ${verdict}`, (totals.get(`verdict ${verdict}`) ?? 0) + number);
  if ((verdicts.get(PASS) ?? 0) === 0 || flows === 0) throw new Error("the packets were not what they should be");
  if (turn === "redirect" && rounds > 1)
    console.log(`${count} packets, ${opened} flows, ${Math.round((performance.now() - began) / 1000)} s`);
}
console.log([...totals].map(([name, number]) => `${name}: ${number}`).join(", "));
console.log(`${count} packets, ${opened} flows, no difference`);
process.exit(0);
