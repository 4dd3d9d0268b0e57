/**
 * The table: what is always in it. Everything of ours is in it and nothing else is touched.
 *
 *   prerouting −150  limits    datagrams of listen places with lists or limits, and of those that drain        vmap limit* → class_…
 *   prerouting −100  places    first datagram of a flow: listen place → backend                                to*, group*, host* maps
 *                     └ adopt* it is one of ours: label, idle time                                             vmap idle* → idle_…
 *   postrouting 100  sources   it is one of ours: source address and port                                      vmap source* → source_…
 *
 * After the first datagram conntrack does all of it by itself: nothing depends on how many forwards there are, and as long as none has limits no
 * chain is passed at all. A place that is one address and one port is found by a hash (maps …4, …6), a range by a tree (maps …4r, …6r).
 *
 * Rules ask for family and protocol again where they could not be another's: so nft lists them as it would write them.
 *
 * A place is looked up twice: once to adopt the flow, which must come first, since a translation ends the chain.
 *
 * Source: linux/netfilter/nf_tables.h, nft(8); reference forward.md sections 1, 2 and 4.
 */
import { bitwiseAnd, cmp, ct, ctSet, type Expression, immediate, lookup, nat, update, verdict } from "../../host/nf-tables/expression.ts";
import { mapsAreSets } from "../../host/nf-tables/nf-tables.ts";
import { NFT_CT_DIRECTION, NFT_CT_DST_IP, NFT_CT_DST_IP6, NFT_CT_LABELS, NFT_CT_PROTO_DST } from "../../host/nf-tables/nf-tables-abi.ts";
import type { Hook, TableEdit } from "../../host/nf-tables/table-edit.ts";
import type { Family } from "../ip-range.ts";
import type { Listen } from "../listen.ts";
import { isExact } from "../listen.ts";
import { addressField, isFamily, isUdp, place, wordsOf } from "./place.ts";

/** Of family inet. */
export const TABLE = "longhaul_forward";
/** Bit of a connection's label: ours. */
export const LABEL = 119;
/** Elements of the sets that the kernel fills. */
export const SOURCES_MAX = 65_536;
/** Changes with what the chains do, so that another version's table is led over. */
export const LAYOUT = 4;

/** What a map gives for a place; "r" behind its name: places may be ranges. */
export const mapKinds = ["to", "host", "group", "limit", "idle", "source"] as const;
export type MapKind = (typeof mapKinds)[number];

/** Sets that count what was dropped, by listen address and port. */
export const dropReasons = ["denied", "limited", "refused"] as const;
export type DropReason = (typeof dropReasons)[number];

/** Chains that are there whatever the forwards. */
export const ownChains: readonly string[] = ["limits", "places", "adopt4", "adopt6", "sources", ...dropReasons];

const families = [4, 6] as const;

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
  families.flatMap((family) => [false, true].map((ranges) => ({ kind, family, ranges, name: `${kind}${family}${ranges ? "r" : ""}` }))),
);

/** Everything that is there at any time, empty. */
export function addContents(edit: TableEdit): void {
  for (const { kind, family, ranges, name } of maps) {
    const address = addressField(family);
    const value = kind === "to" ? ([address, "inet_service"] as const) : kind === "host" ? ([address] as const) : "verdict";
    edit.addSet({ name, key: [address, "inet_service"], value, interval: ranges });
  }
  for (const family of families)
    for (const reason of dropReasons)
      edit.addSet({
        ...{ name: `${reason}${family}`, key: [addressField(family), "inet_service"] },
        ...{ size: SOURCES_MAX, dynamic: true, counter: true },
      });
  edit.addSet({ name: "state", key: ["mark", "mark"] });
  for (const reason of dropReasons) {
    renew(edit, reason);
    for (const family of families)
      edit.addRule(reason, [...isFamily(family), ...isUdp(), ...place(family, 0), update(`${reason}${family}`, 0)]);
    edit.addRule(reason, [verdict({ verb: "drop" })]);
  }
  for (const family of families) renew(edit, `adopt${family}`);
}

/** The chain is there and empty. */
export function renew(edit: TableEdit, chain: string, hook?: Hook): void {
  edit.addChain(chain, hook);
  edit.flushChain(chain);
}

/** What a flow gets whose place no map names, of each family. */
export interface Base {
  /** Chains of `parts.ts`. */
  readonly idle: string;
  readonly source: string;
}

/** The chains with a hook, and those that adopt. `used`: maps that have an element; `bases` of the families that have a forward. */
export function editHooks(edit: TableEdit, used: ReadonlySet<string>, bases: ReadonlyMap<Family, Base>): void {
  const lookUps = (kind: MapKind, write: (family: Family, name: string) => readonly Expression[]): (readonly Expression[])[] =>
    maps.filter((map) => map.kind === kind && used.has(map.name)).map(({ family, name }) => write(family, name));
  const placed = (family: Family): readonly Expression[] => [...isFamily(family), ...isUdp(), ...place(family, 0)];
  const adopting = (family: Family, name: string): readonly Expression[] => [
    ...placed(family),
    // The value is not wanted. Older kernels must put it somewhere, and nft lists such a rule without its condition.
    mapsAreSets() ? lookup(name, 0) : lookup(name, 0, 0),
    verdict({ verb: "jump", chain: `adopt${family}` }),
  ];
  hookChain(
    ...([edit, "limits", { type: "filter", at: "prerouting", priority: -150 }] as const),
    lookUps("limit", (family, name) => [
      ...[ct(NFT_CT_DIRECTION, 0), cmp(0, "eq", Uint8Array.of(0))],
      ...[...placed(family), lookup(name, 0, "verdict")],
    ]),
  );
  hookChain(edit, "places", { type: "nat", at: "prerouting", priority: -100 }, [
    ...lookUps("to", adopting),
    ...lookUps("host", adopting),
    ...lookUps("to", (family, name) => [
      ...[...placed(family), lookup(name, 0, 0)],
      nat("dnat", family, { address: 0, port: wordsOf(family) }),
    ]),
    ...lookUps("host", (family, name) => [...placed(family), lookup(name, 0, 0), nat("dnat", family, { address: 0 })]),
    ...lookUps("group", (family, name) => [...placed(family), lookup(name, 0, "verdict")]),
  ]);
  const sources: (readonly Expression[])[] = [];
  for (const [family, base] of bases) {
    const chain = `adopt${family}`;
    renew(edit, chain);
    edit.addRule(chain, setLabel());
    for (const rule of lookUps("idle", (of, name) => (of === family ? [...placed(of), lookup(name, 0, "verdict")] : [])))
      if (rule.length > 0) edit.addRule(chain, rule);
    edit.addRule(chain, [verdict({ verb: "goto", chain: base.idle })]);
    for (const rule of lookUps("source", (of, name) =>
      of === family ? [...isOurs(), ...originalPlace(of), lookup(name, 0, "verdict")] : [],
    ))
      if (rule.length > 0) sources.push(rule);
    sources.push([...isFamily(family), ...isOurs(), verdict({ verb: "goto", chain: base.source })]);
  }
  hookChain(edit, "sources", { type: "nat", at: "postrouting", priority: 100 }, sources);
}

/** A chain that would do nothing is not there: each costs every packet of the machine. */
function hookChain(edit: TableEdit, name: string, hook: Hook, rules: readonly (readonly Expression[])[]): void {
  renew(edit, name, hook);
  if (rules.length === 0) edit.deleteChain(name);
  for (const rule of rules) edit.addRule(name, rule);
}

/** A datagram of a flow that we forward. */
function isOurs(): readonly Expression[] {
  return [...isLabelled(), ...isUdp()];
}

export function isLabelled(): readonly Expression[] {
  const mask = labelBytes();
  return [ct(NFT_CT_LABELS, 0), bitwiseAnd(0, mask), cmp(0, "neq", new Uint8Array(mask.length))];
}

function setLabel(): readonly Expression[] {
  return [immediate(0, labelBytes()), ctSet(NFT_CT_LABELS, 0)];
}

/** Where the flow's first datagram went, before it was translated. */
export function originalPlace(family: Family): readonly Expression[] {
  return [ct(family === 4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, 0, true), ct(NFT_CT_PROTO_DST, wordsOf(family), true)];
}

/** 128 bits in the machine's order, which is little-endian. */
function labelBytes(): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[LABEL >> 3] = 1 << (LABEL & 7);
  return bytes;
}
