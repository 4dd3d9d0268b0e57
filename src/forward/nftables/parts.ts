/**
 * What several forwards share: chains that choose among backends, limit, set the idle time or the source. Each is named by what it does, so that equal
 * ones are one.
 */
import type { Forward, Source } from "../forward.ts";
import { weighted } from "../forward.ts";
import { type Family, formatAddress, formatIpRange, type IpRange, sizeOf } from "../ip-range.ts";
import { formatPorts, isExact, portOf } from "../listen.ts";
import { mergeRanges } from "../prefixes.ts";
import { SOURCES_MAX, TABLE } from "./layout.ts";
import { digest } from "./names.ts";

/** A chain with the objects that its rules name. */
export interface Part {
  readonly chain: string;
  readonly script: string;
  /** Sets and timeouts that go with it, as "set name" and "ct timeout name". */
  readonly objects: readonly string[];
}

/** Seed of the hash over flows: any, but always the same. */
const SEED = "0x6c68";

/** Weighted choice of one of several backends. */
export function groupPart(forward: Forward): Part {
  const { family } = forward.listen.addresses;
  const backends = weighted(forward);
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const ip = ipOf(family);
  const over = forward.balance === "flow" ? `${ip} saddr . udp sport` : `${ip} saddr`;
  const withPort: string[] = [];
  const withoutPort: string[] = [];
  let from = 0;
  for (const backend of backends) {
    const slice = backend.weight === 1 ? `${from}` : `${from}-${from + backend.weight - 1}`;
    from += backend.weight;
    const port = portOf(forward.listen, backend);
    const address = formatAddress(family, backend.address);
    if (port === undefined) withoutPort.push(`${slice} : ${address}`);
    else withPort.push(`${slice} : ${address} . ${port}`);
  }
  const rules = [withPort, withoutPort]
    .filter((elements) => elements.length > 0)
    .map((elements) => `meta l4proto udp dnat ${ip} to jhash ${over} mod ${total} seed ${SEED} map { ${elements.join(", ")} }`);
  return part("group", rules);
}

export function idlePart(family: Family, seconds: number): Part {
  const name = `t${family}_${seconds}`;
  const layer = family === 4 ? "ip" : "ip6";
  // "keep": other processes' flows hang on it, so that it is never replaced.
  return {
    chain: `idle_${name}`,
    objects: [`ct timeout ${name}`],
    script: `add ct timeout ${TABLE} ${name} { protocol udp; l3proto ${layer}; policy = { unreplied : ${seconds}, replied : ${seconds} }; }
add chain ${TABLE} idle_${name}
flush chain ${TABLE} idle_${name}
add rule ${TABLE} idle_${name} ct timeout set "${name}"
`,
  };
}

/** Addresses that are chosen one by one, so that flows spread evenly over their ports. */
const ADDRESSES_MAX = 64n;

export function sourcePart(family: Family, source: Source): Part {
  if (source.kind === "transparent") return part("source", ["accept"]);
  const ports = formatPorts(source.ports);
  if (source.kind === "auto") return part("source", [`meta l4proto udp masquerade to :${ports}`]);
  const ip = ipOf(family);
  const to = (address: string): string =>
    `snat ${ip} to ${family === 6 && address.includes("-") ? bracketed(address) : bracket(family, address)}:${ports}`;
  const pieces = source.ranges.flatMap((range) =>
    sizeOf(range) > ADDRESSES_MAX
      ? [formatIpRange(range)]
      : Array.from({ length: Number(sizeOf(range)) }, (_, i) => formatAddress(family, range.first + BigInt(i))),
  );
  if (pieces.length === 1) return part("source", [`meta l4proto udp ${to(pieces[0]!)}`]);
  return part(
    "source",
    pieces.map((piece, i) => `meta l4proto udp jhash ${ip} saddr . udp sport mod ${pieces.length} seed ${SEED} ${i} ${to(piece)}`),
  );
}

/** Lists and limits, and no new flows where none shall be; undefined: nothing of the kind. */
export function limitPart(forward: Forward): Part | undefined {
  const { limits, listen, allow, deny } = forward;
  const { packets, bytes, sourcePackets, sourceBytes } = limits;
  const refuses = forward.state === "draining" || weighted(forward).length === 0;
  if (!refuses && allow.length + deny.length + packets + bytes + sourcePackets + sourceBytes === 0) return undefined;
  const { family } = listen.addresses;
  const ip = ipOf(family);
  const rules: string[] = [];
  if (deny.length > 0) rules.push(`${ip} saddr ${prefixes(deny)} goto denied`);
  if (allow.length > 0) rules.push(`${ip} saddr != ${prefixes(allow)} goto denied`);
  const place = `${ip} daddr . udp dport`;
  // A range has one limit for all of its places, so that it has a chain of its own; places of their own have an element each.
  const own = isExact(listen) ? undefined : forward.name;
  const meters: Meter[] = [];
  if (packets > 0) meters.push({ key: own === undefined ? place : undefined, rate: packetRate(packets) });
  if (bytes > 0) meters.push({ key: own === undefined ? place : undefined, rate: byteRate(bytes) });
  const source = own === undefined ? `${ip} saddr . ${place}` : `${ip} saddr`;
  if (sourcePackets > 0) meters.push({ key: source, rate: packetRate(sourcePackets) });
  if (sourceBytes > 0) meters.push({ key: source, rate: byteRate(sourceBytes) });
  const name = `class_${digest(JSON.stringify([family, rules, meters, refuses, meters.length > 0 ? own : ""]))}`;
  return meterChain(name, family, rules, meters, refuses);
}

interface Meter {
  /** Undefined: one for all. */
  readonly key: string | undefined;
  readonly rate: string;
}

/**
 * One chain after another for each limit: what is within a limit goes on to the next chain, and what is beyond it, or finds no room in the set
 * any more, is dropped.
 */
function meterChain(name: string, family: Family, head: readonly string[], meters: readonly Meter[], refuses: boolean): Part {
  const lines: string[] = [];
  const objects: string[] = [];
  const tail = refuses ? ["ct state new goto refused"] : [];
  const chains = [name, ...meters.map((_, i) => `${name}_${i}`)];
  for (const chain of chains) lines.push(`add chain ${TABLE} ${chain}`, `flush chain ${TABLE} ${chain}`);
  const rule = (chain: string, text: string): void => void lines.push(`add rule ${TABLE} ${chain} ${text}`);
  for (const text of head) rule(name, text);
  meters.forEach(({ key, rate }, i) => {
    const chain = chains[i]!;
    const next = chains[i + 1]!;
    if (key === undefined) rule(chain, `limit rate ${rate} goto ${next}`);
    else {
      const set = `${name}_m${i}`;
      objects.push(`set ${set}`);
      const types = key.split(" . ").map((piece) => (piece.endsWith("port") ? "inet_service" : `ipv${family}_addr`));
      lines.push(`add set ${TABLE} ${set} { type ${types.join(" . ")}; size ${SOURCES_MAX}; flags dynamic,timeout; timeout 10s; }`);
      rule(chain, `update @${set} { ${key} limit rate ${rate} } goto ${next}`);
    }
    rule(chain, "goto limited");
  });
  for (const text of tail) rule(chains.at(-1)!, text);
  return { chain: name, script: `${lines.join("\n")}\n`, objects: [...objects, ...chains.slice(1).map((chain) => `chain ${chain}`)] };
}

/** The kernel's bursts are 32 bits wide. Of packets the burst is the bucket, of bytes what the bucket holds beyond a second's worth. */
function packetRate(packets: number): string {
  return `${packets}/second burst ${Math.min(packets, 0xffff_ffff)} packets`;
}

function byteRate(bytes: number): string {
  return bytes >= BURST_BYTES_LEAST ? `${bytes} bytes/second` : `${bytes} bytes/second burst ${BURST_BYTES_LEAST - bytes} bytes`;
}

function prefixes(ranges: readonly IpRange[]): string {
  return `{ ${mergeRanges(ranges).map(formatIpRange).join(", ")} }`;
}

function part(kind: string, rules: readonly string[]): Part {
  const chain = `${kind}_${digest(rules.join("\n"))}`;
  const lines = [
    `add chain ${TABLE} ${chain}`,
    `flush chain ${TABLE} ${chain}`,
    ...rules.map((rule) => `add rule ${TABLE} ${chain} ${rule}`),
  ];
  return { chain, script: `${lines.join("\n")}\n`, objects: [] };
}

/** The longest datagram has to pass. */
const BURST_BYTES_LEAST = 65_536;

function ipOf(family: Family): "ip" | "ip6" {
  return family === 4 ? "ip" : "ip6";
}

function bracket(family: Family, address: string): string {
  return family === 6 ? `[${address}]` : address;
}

function bracketed(range: string): string {
  const [first = "", last = ""] = range.split("-");
  return `[${first}]-[${last}]`;
}
