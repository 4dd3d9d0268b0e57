/**
 * What several forwards share: chains that choose among backends, limit, set the idle time or the source. Each is named by what it does, so that equal
 * ones are one.
 */
import {
  bitwiseAnd,
  cmp,
  ct,
  ctTimeout,
  type Expression,
  hton,
  immediate,
  jhash,
  limit,
  lookup,
  lookupNot,
  masquerade,
  nat,
  update,
  verdict,
  type Word,
} from "../../host/nf-tables/expression.ts";
import { CT_STATE_NEW, NFT_CT_STATE } from "../../host/nf-tables/nf-tables-abi.ts";
import type { Field, SetSpec, TableEdit } from "../../host/nf-tables/table-edit.ts";
import type { Forward, Source } from "../forward.ts";
import { weighted } from "../forward.ts";
import { type Family, formatIpRange, type IpRange, sizeOf } from "../ip-range.ts";
import { type Backend, isExact, type PortRange, portOf } from "../listen.ts";
import { mergeRanges } from "../prefixes.ts";
import { renew, SOURCES_MAX } from "./layout.ts";
import { digest } from "./names.ts";
import {
  addressField,
  addressOf,
  behind,
  endOf,
  isFamily,
  isUdp,
  numberBytes,
  place,
  portBytes,
  sourceAddress,
  sourcePort,
  wordsOf,
} from "./place.ts";

/** A chain with the objects that its rules name. */
export interface Part {
  readonly chain: string;
  /** Puts all of it there, whatever was there by these names. */
  readonly write: (edit: TableEdit) => void;
  /** What goes with it, beside the chain. */
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

/** Seed of the hash over flows: any, but always the same. */
const SEED = 0x6c68;

/** Shares up to which a group is rules. */
const RULES_MAX = 16;

interface Share {
  /** Numbers of the hash. */
  readonly first: number;
  readonly last: number;
  readonly address: bigint;
  readonly port: number | undefined;
}

/**
 * Weighted choice of one of several backends: a rule for each share, in turn, for numbers up to its last one. Where there are many shares it is a map;
 * not always, since the kernel goes through all sets of a table to find one, and many groups would take long to be made.
 */
export function groupPart(forward: Forward): Part {
  const { family } = forward.listen.addresses;
  const shares: Share[] = [];
  let total = 0;
  for (const [backend, width] of widths(forward)) {
    shares.push({ first: total, last: total + width - 1, address: backend.address, port: portOf(forward.listen, backend) });
    total += width;
  }
  const key = JSON.stringify([family, forward.balance, shares.map((share) => Object.values(share).join())]);
  const hash = [...isUdp(), ...hashOfSource(family, total, forward.balance === "flow"), hton(0)];
  if (shares.length > RULES_MAX) return mappedGroup(family, `group_${digest(key)}`, hash, shares);
  return part("group", key, [
    adopt(family),
    ...shares.map(({ last, address, port }, i) => [
      ...(i === shares.length - 1 ? isUdp() : [...hash, cmp(0, "lte", numberBytes(last))]),
      ...translateDestination(family, address, port),
    ]),
  ]);
}

/** Backends with a port of their own are found in one map, those without in another. */
function mappedGroup(family: Family, chain: string, hash: readonly Expression[], shares: readonly Share[]): Part {
  const kinds = [
    { set: `${chain}_to`, own: shares.filter(({ port }) => port !== undefined), fields: ["inet_service"] as const },
    { set: `${chain}_host`, own: shares.filter(({ port }) => port === undefined), fields: [] },
  ].filter(({ own }) => own.length > 0);
  const write = (edit: TableEdit): void => {
    renew(edit, chain);
    edit.addRule(chain, adopt(family));
    for (const { set, own, fields } of kinds) {
      renewSet(edit, { name: set, key: ["integer"], value: [addressField(family), ...fields], interval: true });
      for (const { first, last, address, port } of own) {
        const to = port === undefined ? addressOf(family, address) : endOf(family, address, port);
        edit.addElement(set, { key: numberBytes(first), value: to });
        edit.addElement(set, { key: numberBytes(last + 1), ends: true });
      }
      const translated = nat("dnat", family, { address: 0, ...(fields.length > 0 ? { port: wordsOf(family) } : {}) });
      edit.addRule(chain, [...hash, lookup(set, 0, 0), translated]);
    }
  };
  return { chain, write, chains: [], sets: kinds.map(({ set }) => set) };
}

function adopt(family: Family): readonly Expression[] {
  return [verdict({ verb: "jump", chain: `adopt${family}` })];
}

function translateDestination(family: Family, address: bigint, port: number | undefined): readonly Expression[] {
  const to = immediate(0, addressOf(family, address));
  return port === undefined
    ? [to, nat("dnat", family, { address: 0 })]
    : [to, immediate(4, portBytes(port)), nat("dnat", family, { address: 0, port: 4 })];
}

/** How much of the hash is whose, in order: as weights say, or as it is given place by place. */
function widths(forward: Forward): (readonly [backend: Backend, width: number])[] {
  const { choices, backends } = forward;
  if (choices === undefined) return weighted(forward).map((backend) => [backend, backend.weight]);
  const runs: [Backend, number][] = [];
  for (const [place, index] of choices.entries()) {
    if (place > 0 && choices[place - 1] === index) runs.at(-1)![1]++;
    else runs.push([backends[index]!, 1]);
  }
  return runs;
}

export function idlePart(family: Family, seconds: number): Part {
  const name = `t${family}_${seconds}`;
  const chain = `idle_${name}`;
  const write = (edit: TableEdit): void => {
    // Flows hang on it, so that it is never replaced.
    edit.addTimeout(name, family, seconds);
    renew(edit, chain);
    edit.addRule(chain, [ctTimeout(name)]);
  };
  return { chain, write, chains: [], sets: [] };
}

/** Addresses that are chosen one by one, so that flows spread evenly over their ports. */
const ADDRESSES_MAX = 64n;

export function sourcePart(family: Family, source: Source): Part {
  if (source.kind === "transparent") return part("source", "transparent", [[verdict({ verb: "accept" })]]);
  const { ports } = source;
  if (source.kind === "auto")
    return part("source", `auto ${source.text}`, [
      [...isUdp(), immediate(0, portBytes(ports.first)), immediate(4, portBytes(ports.last)), masquerade(0, 4)],
    ]);
  const pieces = source.ranges.flatMap((range) =>
    sizeOf(range) > ADDRESSES_MAX
      ? [range]
      : Array.from({ length: Number(sizeOf(range)) }, (_, i) => ({
          family,
          first: range.first + BigInt(i),
          last: range.first + BigInt(i),
        })),
  );
  const key = `${family} ${pieces.map(formatIpRange).join()} ${ports.first} ${ports.last}`;
  if (pieces.length === 1) return part("source", key, [[...isUdp(), ...translateSource(family, pieces[0]!, ports)]]);
  return part(
    "source",
    key,
    pieces.map((piece, i) => [
      ...[...isUdp(), ...hashOfSource(family, pieces.length, true), cmp(0, "eq", hostNumber(i))],
      ...translateSource(family, piece, ports),
    ]),
  );
}

function translateSource(family: Family, { first, last }: IpRange, ports: PortRange): readonly Expression[] {
  const single = first === last;
  return [
    immediate(0, addressOf(family, first)),
    ...(single ? [] : [immediate(4, addressOf(family, last))]),
    ...[immediate(8, portBytes(ports.first)), immediate(12, portBytes(ports.last))],
    nat("snat", family, { address: 0, port: 8, portLast: 12, ...(single ? {} : { addressLast: 4 }) }),
  ];
}

/** A number below `modulus` at word 0, in the machine's order: of client and port, or of the client alone. */
function hashOfSource(family: Family, modulus: number, port: boolean): readonly Expression[] {
  const words = wordsOf(family);
  const key = port ? [sourceAddress(family, 4), sourcePort(4 + words)] : [sourceAddress(family, 4)];
  return [...isFamily(family), ...key, jhash(4, 4 * (words + (port ? 1 : 0)), 0, modulus, SEED)];
}

/** Lists and limits, and no new flows where none shall be; undefined: nothing of the kind. */
export function limitPart(forward: Forward): Part | undefined {
  const { limits, listen, allow, deny } = forward;
  const { packets, bytes, sourcePackets, sourceBytes } = limits;
  const refuses = forward.state === "draining" || weighted(forward).length === 0;
  if (!refuses && allow.length + deny.length + packets + bytes + sourcePackets + sourceBytes === 0) return undefined;
  const { family } = listen.addresses;
  // A range has one limit for all of its places, so that it has a chain of its own; places of their own have an element each.
  const own = isExact(listen) ? undefined : forward.name;
  const meters: Meter[] = [];
  const all = own === undefined ? "place" : undefined;
  const source = own === undefined ? "source and place" : "source";
  if (packets > 0) meters.push({ key: all, ...packetRate(packets) });
  if (bytes > 0) meters.push({ key: all, ...byteRate(bytes) });
  if (sourcePackets > 0) meters.push({ key: source, ...packetRate(sourcePackets) });
  if (sourceBytes > 0) meters.push({ key: source, ...byteRate(sourceBytes) });
  const lists = { deny: mergeRanges(deny), allow: mergeRanges(allow) };
  const written = [lists.deny, lists.allow].map((ranges) => ranges.map(formatIpRange));
  const name = `class_${digest(JSON.stringify([family, written, meters, refuses, meters.length > 0 ? own : ""]))}`;
  return meterChain(name, family, lists, meters, refuses);
}

interface Meter {
  /** What has a limit of its own; undefined: one for all. */
  readonly key: "place" | "source" | "source and place" | undefined;
  readonly unit: "packets" | "bytes";
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * One chain after another for each limit: what is within a limit goes on to the next chain, and what is beyond it, or finds no room in the set
 * any more, is dropped.
 */
function meterChain(
  name: string,
  family: Family,
  lists: { readonly deny: readonly IpRange[]; readonly allow: readonly IpRange[] },
  meters: readonly Meter[],
  refuses: boolean,
): Part {
  const chains = [name, ...meters.map((_, i) => `${name}_${i}`)];
  const meterSet = (i: number): string => `${name}_m${i}`;
  const listSets = (["deny", "allow"] as const).filter((kind) => lists[kind].length > 0).map((kind) => ({ kind, set: `${name}_${kind}` }));
  const write = (edit: TableEdit): void => {
    for (const chain of chains) renew(edit, chain);
    for (const { kind, set } of listSets) {
      renewSet(edit, { name: set, key: [addressField(family)], interval: true });
      for (const { first, last } of lists[kind]) {
        edit.addElement(set, { key: addressOf(family, first) });
        const end = behind(family, last);
        if (end !== undefined) edit.addElement(set, { key: end, ends: true });
      }
      const found = kind === "deny" ? lookup(set, 0) : lookupNot(set, 0);
      edit.addRule(name, [...isFamily(family), sourceAddress(family, 0), found, verdict({ verb: "goto", chain: "denied" })]);
    }
    meters.forEach(({ key, unit, perSecond, burst }, i) => {
      const rate = limit(unit, perSecond, burst);
      const onward = verdict({ verb: "goto", chain: chains[i + 1]! });
      if (key === undefined) edit.addRule(chains[i]!, [rate, onward]);
      else {
        const { types, loads } = keyParts(family, key);
        edit.addSet({ name: meterSet(i), key: types, size: SOURCES_MAX, dynamic: true, timeoutSeconds: METER_SECONDS });
        edit.addRule(chains[i]!, [...isFamily(family), ...isUdp(), ...loads, update(meterSet(i), 0, rate), onward]);
      }
      edit.addRule(chains[i]!, [verdict({ verb: "goto", chain: "limited" })]);
    });
    if (refuses)
      edit.addRule(chains.at(-1)!, [
        ...[ct(NFT_CT_STATE, 0), bitwiseAnd(0, hostNumber(CT_STATE_NEW)), cmp(0, "neq", hostNumber(0))],
        verdict({ verb: "goto", chain: "refused" }),
      ]);
  };
  const meterSets = meters.flatMap(({ key }, i) => (key === undefined ? [] : [meterSet(i)]));
  return { chain: name, write, chains: chains.slice(1), sets: [...meterSets, ...listSets.map(({ set }) => set)] };
}

/** After so long a rate has filled up again. */
const METER_SECONDS = 10;

function keyParts(
  family: Family,
  key: NonNullable<Meter["key"]>,
): { readonly types: readonly Field[]; readonly loads: readonly Expression[] } {
  const address = addressField(family);
  const at: Word = key === "source and place" ? wordsOf(family) : 0;
  const source = { types: [address], loads: [sourceAddress(family, 0)] };
  const placed = { types: [address, "inet_service"] as const, loads: place(family, at) };
  if (key === "source") return source;
  if (key === "place") return placed;
  return { types: [...source.types, ...placed.types], loads: [...source.loads, ...placed.loads] };
}

/** The kernel's bursts are 32 bits wide. Of packets the burst is the bucket, of bytes what the bucket holds beyond a second's worth. */
function packetRate(packets: number): Omit<Meter, "key"> {
  return { unit: "packets", perSecond: packets, burst: Math.min(packets, 0xffff_ffff) };
}

function byteRate(bytes: number): Omit<Meter, "key"> {
  return { unit: "bytes", perSecond: bytes, burst: Math.max(0, BURST_BYTES_LEAST - bytes) };
}

/** `key`: what the rules do, in words. */
function part(kind: string, key: string, rules: readonly (readonly Expression[])[]): Part {
  const chain = `${kind}_${digest(key)}`;
  const write = (edit: TableEdit): void => {
    renew(edit, chain);
    for (const rule of rules) edit.addRule(chain, rule);
  };
  return { chain, write, chains: [], sets: [] };
}

function renewSet(edit: TableEdit, set: SetSpec): void {
  edit.addSet(set);
  edit.flushSet(set.name);
}

/** 32 bits in the machine's order. */
function hostNumber(value: number): Uint8Array {
  return numberBytes(value).reverse();
}

/** The longest datagram has to pass. */
const BURST_BYTES_LEAST = 65_536;
