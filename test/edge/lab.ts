/**
 * Namespaces: a client behind a router, two edges with one address, two regions, and control.
 *
 *   c 10.81.0.2 ── r ─┬─ 10.82.1.2 e1 10.80.0.11 ─┐
 *              (BIRD) └─ 10.82.2.2 e2 10.80.0.12 ─┼─ x (a bridge) ─┬─ 10.80.0.21 a       region near
 *                                                 │                ├─ 10.80.0.22 b       region far
 *          198.51.100.1 at both edges' lo         │                └─ 10.80.0.30 k       control
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const ADDRESS = "198.51.100.1";
export const ENDPOINT = { a: "10.80.0.21", b: "10.80.0.22" } as const;
export const CONTROL = "10.80.0.30";
const INNER = { e1: "10.80.0.11", e2: "10.80.0.12", ...ENDPOINT, k: CONTROL } as const;
const places = ["c", "r", "e1", "e2", "x", "a", "b", "k"] as const;
export type Place = (typeof places)[number];

/** Undefined: everything that is needed is there. */
export function labMissing(...more: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const missing = ["ip", "nsenter", "nft", "bird", "birdc", ...more].find((program) => spawnSync("which", [program]).status !== 0);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), "longhaul-edge-"));
  readonly #name = `lhe${process.pid}`;
  readonly #children = new Set<ChildProcess>();

  constructor() {
    execFileSync("bash", ["-ec", setUp(this.#name)], { timeout: 30_000 });
  }

  /** What is put before a command that shall run there. */
  prefix(place: Place): string[] {
    return ["nsenter", `--net=/run/netns/${this.#name}${place}`];
  }

  run(place: Place, ...command: readonly string[]): string {
    return execFileSync("nsenter", [`--net=/run/netns/${this.#name}${place}`, ...command], { encoding: "utf8", timeout: 30_000 });
  }

  spawn(place: Place, command: readonly string[], quiet = false): ChildProcess {
    const child = spawn("nsenter", [`--net=/run/netns/${this.#name}${place}`, ...command], {
      stdio: ["pipe", "pipe", quiet ? "ignore" : "inherit"],
    });
    this.#children.add(child);
    child.on("exit", () => this.#children.delete(child));
    return child;
  }

  /** One of this folder's programs. */
  program(place: Place, name: string, ...args: readonly string[]): Program {
    return new Program(this.spawn(place, [process.execPath, join(import.meta.dirname, name), ...args]));
  }

  socket(place: Place): string {
    return join(this.folder, `${place}.ctl`);
  }

  /** What a veth needs where frames pass before the kernel makes packets of them: ends that take them, and senders that finish their checksums. */
  readyForXdp(): void {
    for (const place of ["r", "x"] as const) this.run(place, "ethtool", "-K", "we1", "gro", "on");
    for (const [place, wire] of [
      ["c", "out0"],
      ["a", "in0"],
      ["b", "in0"],
    ] as const)
      this.run(place, "ethtool", "-K", wire, "tx", "off");
  }

  /** BIRD as the router's: it takes what both edges announce, e1's before e2's. */
  startRouter(): void {
    const neighbor = (i: number): string =>
      `protocol bgp e${i} { local as 65000; neighbor 10.82.${i}.2 as 64512; bfd on; hold time 9; connect delay time 1;
         ipv4 { import filter { bgp_local_pref = ${300 - 100 * i}; accept; }; export none; }; }`;
    this.startBird(
      "r",
      `router id 10.81.0.1; protocol device {} protocol kernel { ipv4 { import none; export all; }; }
       protocol bfd { interface "*" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }; }
       ${neighbor(1)} ${neighbor(2)}`,
    );
  }

  startBird(place: Place, text: string): void {
    const file = join(this.folder, `${place}.conf`);
    writeFileSync(file, text);
    this.spawn(place, ["bird", "-f", "-c", file, "-s", this.socket(place)], true);
  }

  conf(place: Place): string {
    return join(this.folder, `${place}.conf`);
  }

  /** The edge to which the router sends, "" for none. */
  way(): string {
    const via = /via 10\.82\.([12])\.2/.exec(this.run("r", "ip", "route", "show", `${ADDRESS}/32`));
    return via === null ? "" : `e${via[1]}`;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const place of places) spawnSync("ip", ["netns", "del", this.#name + place], { timeout: 10_000 });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A child that answers each line of JSON with one. */
export class Program {
  readonly process: ChildProcess;
  readonly #waiting: ((answer: unknown) => void)[] = [];

  constructor(process: ChildProcess) {
    this.process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  ask<Answer>(request: object): Promise<Answer> {
    this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    return new Promise((done) => this.#waiting.push(done as (answer: unknown) => void));
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill(signal);
    await gone;
  }
}

function setUp(name: string): string {
  const inner = Object.entries(INNER)
    .map(
      ([place, address]) => `
    ip link add w${place} netns ${name}x type veth peer name in0 netns ${name}${place}
    ip -n ${name}x link set w${place} master br0 up
    ip -n ${name}${place} addr add ${address}/24 dev in0
    ip -n ${name}${place} link set in0 up`,
    )
    .join("\n");
  const outer = (place: string, wire: string, net: string): string => `
    ip link add ${wire} netns ${name}r type veth peer name out0 netns ${name}${place}
    ip -n ${name}r addr add ${net}.1/24 dev ${wire}
    ip -n ${name}r link set ${wire} up
    ip -n ${name}${place} addr add ${net}.2/24 dev out0
    ip -n ${name}${place} link set out0 up
    ip -n ${name}${place} route add default via ${net}.1`;
  return `
    for n in ${places.join(" ")}; do ip netns add ${name}$n; ip -n ${name}$n link set lo up; done
    ip -n ${name}x link add br0 type bridge
    ip -n ${name}x link set br0 up
    ${inner}
    ${outer("c", "wc", "10.81.0")}
    ${outer("e1", "we1", "10.82.1")}
    ${outer("e2", "we2", "10.82.2")}
    nsenter --net=/run/netns/${name}r sysctl -qw net.ipv4.ip_forward=1`;
}
