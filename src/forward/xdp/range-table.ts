/**
 * Listeners that are ranges, of addresses, of ports or of both, for two longest-prefix tables:
 *
 *   address ─► place        a place is a stretch of addresses at which the same forwards listen
 *   place, port ─► forward  forwards do not overlap, so that at a place each port is one forward's at most
 */
import { bytesOf, type Family } from "../ip-range.ts";
import type { Listen } from "../listen.ts";
import { PLACE_KEY, RANGE_KEY } from "./layout.ts";
import { prefixesOf } from "./prefixes.ts";

export interface RangeEntry {
  readonly forward: number;
  readonly listen: Listen;
}

/** Keys as text (latin1 of their bytes) with their values. */
export interface RangeTable {
  readonly places: ReadonlyMap<string, number>;
  readonly ranges: ReadonlyMap<string, number>;
}

/** `placeOf`: a number for what listens at a place, the same for the same, never used for anything else again. */
export function rangeTable(entries: readonly RangeEntry[], placeOf: (listeners: string) => number): RangeTable {
  const places = new Map<string, number>();
  const ranges = new Map<string, number>();
  for (const family of [4, 6] as const) {
    for (const { first, last, here } of stretches(entries.filter(({ listen }) => listen.addresses.family === family))) {
      const place = placeOf(here.map(({ forward, listen }) => `${forward}:${listen.ports.first}-${listen.ports.last}`).join());
      for (const key of placeKeys(family, first, last)) places.set(key, place);
      for (const { forward, listen } of here) for (const key of rangeKeys(place, listen)) ranges.set(key, forward);
    }
  }
  return { places, ranges };
}

/** Cuts the addresses wherever a listener begins or ends. */
function stretches(entries: readonly RangeEntry[]): { first: bigint; last: bigint; here: RangeEntry[] }[] {
  const begins = [...entries].sort((a, b) => (a.listen.addresses.first < b.listen.addresses.first ? -1 : 1));
  const cuts = [...new Set(entries.flatMap(({ listen }) => [listen.addresses.first, listen.addresses.last + 1n]))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const found: { first: bigint; last: bigint; here: RangeEntry[] }[] = [];
  let open: RangeEntry[] = [];
  let next = 0;
  for (const [i, first] of cuts.entries()) {
    open = open.filter(({ listen }) => listen.addresses.last >= first);
    while (next < begins.length && begins[next]!.listen.addresses.first === first) open.push(begins[next++]!);
    if (open.length > 0)
      found.push({ first, last: cuts[i + 1]! - 1n, here: [...open].sort((a, b) => a.listen.ports.first - b.listen.ports.first) });
  }
  return found;
}

function placeKeys(family: Family, first: bigint, last: bigint): string[] {
  const width = family === 4 ? 32 : 128;
  return prefixesOf(first, last, width).map(({ value, bits }) => {
    const key = Buffer.alloc(PLACE_KEY.bytes);
    key.writeUInt32LE(bits + 128 - width);
    key.set(bytesOf(family, value), PLACE_KEY.address);
    return key.toString("latin1");
  });
}

function rangeKeys(place: number, { ports }: Listen): string[] {
  return prefixesOf(BigInt(ports.first), BigInt(ports.last), 16).map(({ value, bits }) => {
    const key = Buffer.alloc(RANGE_KEY.bytes);
    key.writeUInt32LE(RANGE_KEY.bitsBeforePort + bits);
    key.writeUInt32LE(place, RANGE_KEY.place);
    key.writeUInt16BE(Number(value), RANGE_KEY.port);
    return key.toString("latin1");
  });
}
