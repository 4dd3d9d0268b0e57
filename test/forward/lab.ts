/**
 * Four network namespaces: a client, the forwarder and two backends, each on a wire of its own.
 *
 *   c 10.77.0.2 ── 10.77.0.1 p 10.77.1.1 ── 10.77.1.2 a        fd77:0::, fd77:1::, fd77:2:: likewise
 *                            └ 10.77.2.1 ── 10.77.2.2 b
 *
 * The script that uses it runs itself inside p (`insideForwarder`), so that what it calls acts there. Client and backends are children that are told
 * what to do by lines of JSON (end.ts).
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const CLIENT = { 4: "10.77.0.2", 6: "fd77::2" } as const;
/** Where forwards listen: on the wire to the client. */
export const LISTEN = { 4: "10.77.0.1", 6: "fd77::1" } as const;
export const BACKEND = { a: { 4: "10.77.1.2", 6: "fd77:1::2" }, b: { 4: "10.77.2.2", 6: "fd77:2::2" } } as const;
/** Of the forwarder, on the wires to the backends. */
export const INNER = { a: { 4: "10.77.1.1", 6: "fd77:1::1" }, b: { 4: "10.77.2.1", 6: "fd77:2::1" } } as const;

const places = ["c", "a", "b"] as const;
export type Place = (typeof places)[number];

/** Undefined: everything that is needed is there. */
export function labMissing(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  const missing = ["ip", "nsenter", ...programs].find((program) => spawnSync("which", [program]).status !== 0);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/**
 * In the process that was started: makes the namespaces, runs the script again inside the forwarder's and removes them when it has ended; answers
 * undefined. In that second process: answers the lab.
 */
export function insideForwarder(script: string): Lab | undefined {
  const given = process.env.LONGHAUL_FORWARD_LAB;
  if (given !== undefined) return new Lab(given);
  const name = `lhf${process.pid}`;
  try {
    execFileSync("bash", ["-ec", setUp(name)], { timeout: 30_000 });
    const { status } = spawnSync(
      "nsenter",
      [`--net=/run/netns/${name}p`, process.execPath, ...process.execArgv, script, ...process.argv.slice(2)],
      {
        stdio: "inherit",
        env: { ...process.env, LONGHAUL_FORWARD_LAB: name },
      },
    );
    process.exitCode = status ?? 1;
  } finally {
    for (const place of ["p", ...places]) spawnSync("ip", ["netns", "del", name + place], { timeout: 10_000 });
  }
  return undefined;
}

export class Lab {
  readonly #name: string;
  readonly #ends = new Set<End>();
  #echoes: Promise<void> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Name of the namespace that this process is in. */
  get forwarder(): string {
    return `${this.#name}p`;
  }

  prefix(place: Place): string[] {
    return ["nsenter", `--net=/run/netns/${this.#name}${place}`];
  }

  /** A child at the place that does what it is told. */
  end(place: Place): End {
    const [file, ...args] = this.prefix(place);
    const end = new End(
      spawn(file!, [...args, process.execPath, join(import.meta.dirname, "end.ts"), place], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    this.#ends.add(end);
    return end;
  }

  /** Both backends answer at these ports from now on. */
  echoes(ports: readonly number[]): Promise<void> {
    this.#echoes ??= (async () => {
      for (const place of ["a", "b"] as const) {
        const end = this.end(place);
        for (const family of [4, 6] as const) for (const port of ports) await end.ask({ do: "echo", host: BACKEND[place][family], port });
      }
    })();
    return this.#echoes;
  }

  run(place: Place, ...command: readonly string[]): string {
    const [file, ...args] = this.prefix(place);
    return execFileSync(file!, [...args, ...command], { encoding: "utf8", timeout: 30_000 });
  }

  /** The wire to the place, taken away and laid anew. */
  remake(place: Place): void {
    execFileSync("ip", ["link", "del", `w${place}`]);
    execFileSync("bash", ["-ec", wire(this.#name, place, places.indexOf(place))], { timeout: 30_000 });
    this.run(place, "ethtool", "-K", "eth0", "gro", "on", "tx", "off");
  }

  down(): void {
    for (const end of this.#ends) end.close();
  }
}

/** A child that answers each line of JSON with one. */
export class End {
  readonly #process: ChildProcess;
  readonly #waiting: ((answer: unknown) => void)[] = [];

  constructor(process: ChildProcess) {
    this.#process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  ask<Answer>(request: object): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    return new Promise((done) => this.#waiting.push(done as (answer: unknown) => void));
  }

  close(): void {
    this.#process.kill("SIGKILL");
  }
}

function wire(name: string, place: Place, i: number): string {
  return `
    ip link add w${place} netns ${name}p type veth peer name eth0 netns ${name}${place}
    ip -n ${name}p addr add 10.77.${i}.1/24 dev w${place}
    ip -n ${name}p addr add fd77:${i}::1/64 dev w${place} nodad
    ip -n ${name}${place} addr add 10.77.${i}.2/24 dev eth0
    ip -n ${name}${place} addr add fd77:${i}::2/64 dev eth0 nodad
    ip -n ${name}p link set w${place} up
    ip -n ${name}${place} link set eth0 up
    ip -n ${name}${place} link set lo up
    ip -n ${name}${place} route add default via 10.77.${i}.1
    ip -n ${name}${place} -6 route add default via fd77:${i}::1`;
}

function setUp(name: string): string {
  return `
    # Without detection of duplicates, which would keep addresses from being used for a second or two.
    for n in p ${places.join(" ")}; do ip netns add ${name}$n; nsenter --net=/run/netns/${name}$n sysctl -qw net.ipv6.conf.default.accept_dad=0; done
    ip -n ${name}p link set lo up
    ${places.map((place, i) => wire(name, place, i)).join("\n")}
    nsenter --net=/run/netns/${name}p sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_acct=1`;
}
