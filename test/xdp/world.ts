/**
 * Where the model lives: interfaces, routes and neighbours, made in a namespace of its own, and the same as a function.
 *
 *   in  (10.1.0.1, fd01::1)   clients 10.64/10 and fd64::/16 behind 10.1.0.2, fd01::2;  10.1.0.77 not resolved;  in.9 (10.9.0.1) tagged
 *   out (10.2.0.1, fd02::1)   backends, MTU 1400;                                       out.7 (10.7.0.1) tagged
 */
import { spawnSync } from "node:child_process";
import { interfaceNamed } from "../../src/host/interface.ts";
import { addressBytes } from "../../src/host/ip-address.ts";
import type { Sys } from "../../src/host/sys.ts";

export interface Way {
  readonly ifindex: number;
  readonly tag: number;
  readonly dmac: string;
  readonly smac: string;
  readonly mtu: number;
  /** False: its neighbour is not known. */
  readonly resolved: boolean;
}

const CLIENTS = "020000000101";
const BACKENDS = "020000000202";
const IN = "020000000011";
const OUT = "020000000022";

const commands = [
  "link set lo up",
  "link add in address 02:00:00:00:00:11 type veth peer name in2",
  "link add out address 02:00:00:00:00:22 type veth peer name out2",
  ...["in", "in2", "out", "out2"].map((name) => `link set ${name} up`),
  "link set out mtu 1400",
  // Stand for tagged interfaces, also where the kernel knows none.
  "link add in.9 address 02:00:00:00:00:11 type veth peer name in92",
  "link add out.7 mtu 1400 address 02:00:00:00:00:22 type veth peer name out72",
  "link set in92 up",
  "link set out72 up",
  "link set in.9 up",
  "link set out.7 up",
  ...["10.1.0.1/24 dev in", "10.9.0.1/24 dev in.9", "10.2.0.1/24 dev out", "10.7.0.1/24 dev out.7"].map((text) => `addr add ${text}`),
  ...["fd01::1/64 dev in", "fd02::1/64 dev out"].map((text) => `-6 addr add ${text} nodad`),
  ...["10.1.0.2 dev in", "fd01::2 dev in", "10.9.0.2 dev in.9"].map(
    (text) => `neigh replace ${text} lladdr 02:00:00:00:01:01 nud permanent`,
  ),
  ...["10.2.0.2 dev out", "10.2.0.3 dev out", "10.2.0.4 dev out", "10.7.0.2 dev out.7", "fd02::2 dev out", "fd02::3 dev out"].map(
    (text) => `neigh replace ${text} lladdr 02:00:00:00:02:02 nud permanent`,
  ),
  "route add 10.64.0.0/10 via 10.1.0.2",
  "-6 route add fd64::/16 via fd01::2",
];

/** In the namespace that this process is in. @throws Error when a command fails */
export function makeWorld(): void {
  for (const command of commands) {
    const { status, stderr } = spawnSync("ip", command.split(" "), { encoding: "utf8" });
    if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
  }
  for (const key of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]) spawnSync("sysctl", ["-qw", `${key}=1`]);
}

export class World {
  readonly in: number;
  readonly out: number;
  readonly vlans: readonly { readonly ifindex: number; readonly lower: number; readonly tag: number }[];

  constructor(sys: Sys) {
    this.in = interfaceNamed(sys, "in").ifindex;
    this.out = interfaceNamed(sys, "out").ifindex;
    this.vlans = [
      { ifindex: interfaceNamed(sys, "in.9").ifindex, lower: this.in, tag: 9 },
      { ifindex: interfaceNamed(sys, "out.7").ifindex, lower: this.out, tag: 7 },
    ];
  }

  /** `address`: hex of its 4 or 16 bytes. Undefined: no way, or to this machine. */
  wayTo(address: string): Way | undefined {
    const client = { ifindex: this.in, tag: 0, dmac: CLIENTS, smac: IN, mtu: 1500, resolved: true };
    const backend = { ifindex: this.out, tag: 0, dmac: BACKENDS, smac: OUT, mtu: 1400, resolved: true };
    if (address.length === 32) {
      if (address.startsWith("fd64")) return client;
      const host = BigInt(`0x${address.slice(16)}`);
      // Anycast of the subnet's routers, which this machine is.
      if (host === 0n) return undefined;
      if (address.startsWith("fd01000000000000")) return neighbour(client, host, [2n]);
      return address.startsWith("fd02000000000000") ? neighbour(backend, host, [2n, 3n]) : undefined;
    }
    const first = Number.parseInt(address.slice(0, 4), 16);
    if (first >= 0x0a40 && first < 0x0a80) return client;
    const host = BigInt(`0x${address.slice(6)}`);
    if (host === 255n) return undefined;
    switch (address.slice(0, 6)) {
      case "0a0100":
        return neighbour(client, host, [2n]);
      case "0a0900":
        return neighbour({ ...client, tag: 9 }, host, [2n]);
      case "0a0200":
        return neighbour(backend, host, [2n, 3n, 4n]);
      case "0a0700":
        return neighbour({ ...backend, tag: 7 }, host, [2n]);
      default:
        return undefined;
    }
  }
}

/** Host 1 is this machine; of those that are not resolved only the interface is known. IPv4's host 0 is one as any other (Linux 5.14). */
function neighbour(way: Way, host: bigint, resolved: readonly bigint[]): Way | undefined {
  if (host === 1n) return undefined;
  return resolved.includes(host) ? way : { ...way, mtu: 1500, resolved: false };
}

export function hex(address: string): string {
  return Buffer.from(addressBytes(address)).toString("hex");
}
