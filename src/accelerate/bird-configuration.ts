/**
 * BIRD's configuration for an edge: the accelerators' addresses as static routes, announced to neighbours by BGP with BFD.
 *
 *   addresses that this edge can serve ─► protocol static longhaul4, longhaul6 ─► protocol bgp longhaul_bgp_1 … ─► routers
 *
 * Without neighbours only the static routes are written, for an operator's own configuration to include and announce. They are blackholes to BIRD: should they
 * get into the kernel, the addresses themselves, which are this machine's, come first.
 *
 * Source: BIRD 2 user's guide, "Static", "BGP", "BFD". RFC 5880 for BFD's times.
 */
import type { Millis } from "../base/units.ts";

export interface BirdNeighbor {
  readonly address: string;
  readonly as: number;
}

export interface BirdOptions {
  /** Ours. */
  readonly as: number;
  readonly neighbors: readonly BirdNeighbor[];
  /** Any address of this machine's, as BIRD's router id. */
  readonly routerId: string;
  /** Between two of BFD's packets; three lost ones are a lost neighbour. */
  readonly bfdInterval: Millis;
}

/** BGP over more than one hop, as between a host and a route reflector, is for an operator's own configuration. */
export function birdConfiguration(addresses: readonly string[], { as, neighbors, routerId, bfdInterval }: BirdOptions): string {
  const parts = ["# Written by longhaul edge; what is changed here is lost."];
  if (neighbors.length > 0)
    parts.push(
      `router id ${routerId};`,
      "protocol device { scan time 2; }",
      `protocol bfd longhaul_bfd { interface "*" { min rx interval ${bfdInterval} ms; min tx interval ${bfdInterval} ms; multiplier 3; }; }`,
    );
  for (const family of [4, 6] as const) {
    const routes = addresses.filter((address) => address.includes(":") === (family === 6));
    const list = routes.map((address) => `route ${address}/${family === 6 ? 128 : 32} blackhole;`).join(" ");
    parts.push(`protocol static longhaul${family} { ipv${family}; ${list} }`);
  }
  neighbors.forEach(({ address, as: other }, i) => {
    const families = [4, 6].map(
      (family) =>
        `ipv${family} { import none; export where proto = "longhaul${family}"; ${address.includes(":") === (family === 6) ? "" : "extended next hop on; "}};`,
    );
    parts.push(
      `protocol bgp longhaul_bgp_${i + 1} { local as ${as}; neighbor ${address} as ${other}; bfd on; graceful restart off; hold time 9; connect delay time 1; connect retry time 5; error wait time 1, 10; ${families.join(" ")} }`,
    );
  });
  return `${parts.join("\n")}\n`;
}

/** "192.0.2.1@65000", "2001:db8::1@65000". Undefined: it is none. */
export function parseBirdNeighbor(text: string): BirdNeighbor | undefined {
  const match = /^([0-9A-Fa-f:.]+)@(\d{1,10})$/.exec(text);
  if (match === null) return undefined;
  const as = Number(match[2]);
  return as < 1 || as > 4_294_967_295 ? undefined : { address: match[1]!, as };
}
