/**
 * The table: what is always in it. Everything of ours is in it and nothing else is touched.
 *
 *   prerouting −150  limits    datagrams of listen places with lists or limits, and of those that drain        vmap limit* → class_…
 *   prerouting −100  places    first datagram of a flow: listen place → backend                                to*, group*, host* maps
 *   prerouting  −99  adopt     it was one of ours: label, idle time                                            vmap idle* → idle_…
 *   postrouting 100  sources   it is one of ours: source address and port                                      vmap source* → source_…
 *
 * After the first datagram conntrack does all of it by itself: nothing depends on how many forwards there are. A place that is one address and one
 * port is found by a hash (maps …4, …6), a range by a tree (maps …4r, …6r).
 *
 * nftables cannot ask whether a map has a key, so that "places" marks the packet, and takes the mark away when no map had it; between the two chains
 * nothing else runs, and routing never sees the mark. What lives on is the connection's label.
 *
 * Source: nft(8); reference forward.md sections 1, 2 and 4.
 */
import type { Family } from "../ip-range.ts";
import type { Listen } from "../listen.ts";
import { isExact } from "../listen.ts";

export const TABLE = "inet longhaul_forward";
/** Bit of a connection's label: ours. */
export const LABEL = 119;
const MARK = "0x08000000";
const NO_MARK = "0xf7ffffff";
/** Elements of the sets that the kernel fills. */
export const SOURCES_MAX = 65_536;

/** What a map gives for a place; "r" behind its name: places may be ranges. */
export const mapKinds = ["to", "host", "group", "limit", "idle", "source"] as const;
export type MapKind = (typeof mapKinds)[number];

/** Sets that count what was dropped, by listen address and port. */
export const dropReasons = ["denied", "limited", "refused"] as const;
export type DropReason = (typeof dropReasons)[number];

export function mapName(kind: MapKind, listen: Listen): string {
  return `${kind}${listen.addresses.family}${isExact(listen) ? "" : "r"}`;
}

interface MapOfKind {
  readonly kind: MapKind;
  readonly family: Family;
  readonly ranges: boolean;
  readonly name: string;
}

export const maps: readonly MapOfKind[] = mapKinds.flatMap((kind) =>
  ([4, 6] as const).flatMap((family) =>
    [false, true].map((ranges) => ({ kind, family, ranges, name: `${kind}${family}${ranges ? "r" : ""}` })),
  ),
);

/** Everything that is there at any time, empty. */
export function tableScript(): string {
  const lines = [`add table ${TABLE}`];
  for (const { kind, family, ranges, name } of maps) {
    const value = kind === "to" ? `ipv${family}_addr . inet_service` : kind === "host" ? `ipv${family}_addr` : "verdict";
    lines.push(`add map ${TABLE} ${name} { type ipv${family}_addr . inet_service : ${value}; ${ranges ? "flags interval; " : ""}}`);
  }
  for (const family of [4, 6] as const)
    for (const reason of dropReasons)
      lines.push(
        `add set ${TABLE} ${reason}${family} { type ipv${family}_addr . inet_service; size ${SOURCES_MAX}; flags dynamic; counter; }`,
      );
  lines.push(`add set ${TABLE} state { type mark . mark; }`);
  for (const reason of dropReasons) {
    lines.push(`add chain ${TABLE} ${reason}`, `flush chain ${TABLE} ${reason}`);
    for (const [family, ip] of [
      [4, "ip"],
      [6, "ip6"],
    ] as const)
      lines.push(`add rule ${TABLE} ${reason} update @${reason}${family} { ${ip} daddr . udp dport }`);
    lines.push(`add rule ${TABLE} ${reason} drop`);
  }
  return `${lines.join("\n")}\n`;
}

/** What a flow gets whose place no map names, of each family. */
export interface Base {
  /** Chains of `parts.ts`. */
  readonly idle: string;
  readonly source: string;
}

/** The chains with a hook. `used`: maps that have an element; `bases` of the families that have a forward. */
export function hookScript(used: ReadonlySet<string>, bases: ReadonlyMap<Family, Base>): string {
  const chains: [name: string, hook: string, rules: string[]][] = [];
  const lookUps = (kind: MapKind, write: (family: Family, name: string) => string): string[] =>
    maps.filter((map) => map.kind === kind && used.has(map.name)).map(({ family, name }) => write(family, name));
  const ip = (family: Family): string => (family === 4 ? "ip" : "ip6");
  const limits = lookUps("limit", (family, name) => `ct direction original ${ip(family)} daddr . udp dport vmap @${name}`);
  chains.push(["limits", "type filter hook prerouting priority -150", limits]);
  chains.push([
    "places",
    "type nat hook prerouting priority -100",
    [
      "meta l4proto != udp accept",
      `meta mark set meta mark | ${MARK}`,
      ...lookUps("to", (family, name) => `dnat ${ip(family)} to ${ip(family)} daddr . udp dport map @${name}`),
      ...lookUps("host", (family, name) => `dnat ${ip(family)} to ${ip(family)} daddr . udp dport map @${name}`),
      ...lookUps("group", (family, name) => `${ip(family)} daddr . udp dport vmap @${name}`),
      `meta mark set meta mark & ${NO_MARK}`,
    ],
  ]);
  const original = (family: Family, kind: MapKind): string[] =>
    lookUps(kind, (of, name) =>
      of === family ? `meta l4proto udp ct original ${ip(of)} daddr . ct original proto-dst vmap @${name}` : "",
    ).filter((rule) => rule !== "");
  const adopt = [`meta mark & ${MARK} == 0 accept`, `meta mark set meta mark & ${NO_MARK}`, `ct label set ${LABEL}`];
  const sources: string[] = [];
  for (const [family, base] of bases) {
    adopt.push(...original(family, "idle"), `meta nfproto ipv${family} goto ${base.idle}`);
    sources.push(
      ...original(family, "source").map((rule) => `ct label ${LABEL} ${rule}`),
      `meta nfproto ipv${family} ct label ${LABEL} meta l4proto udp goto ${base.source}`,
    );
  }
  chains.push(["adopt", "type filter hook prerouting priority -99", adopt]);
  chains.push(["sources", "type nat hook postrouting priority 100", sources]);
  return chains.map(([name, hook, rules]) => hookChain(name, hook, rules)).join("");
}

/** A chain that would do nothing is not there: each costs every packet of the machine. */
function hookChain(name: string, hook: string, rules: readonly string[]): string {
  const add = `add chain ${TABLE} ${name} { ${hook}; }\nflush chain ${TABLE} ${name}\n`;
  if (rules.length === 0) return `${add}delete chain ${TABLE} ${name}\n`;
  return add + rules.map((rule) => `add rule ${TABLE} ${name} ${rule}\n`).join("");
}
