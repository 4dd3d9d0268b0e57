/** All forwards that shall be, by name, without two that claim the same datagram. A value: changing it makes another one. */
import { ConfigError } from "../base/errors.ts";
import type { Forward } from "./forward.ts";
import { formatListen, isExact, overlap } from "./listen.ts";

export const FORWARDS_MAX = 200_000;

export interface DesiredState {
  /** Rises by one with every change. */
  readonly revision: number;
  readonly forwards: ReadonlyMap<string, Forward>;
}

export const NOTHING_DESIRED: DesiredState = { revision: 0, forwards: new Map() };

/** @throws ConfigError that names both when two forwards have one name or claim the same datagram */
export function desiredState(revision: number, forwards: Iterable<Forward>): DesiredState {
  const byName = new Map<string, Forward>();
  for (const forward of forwards) {
    if (byName.has(forward.name)) throw new ConfigError("name", `two forwards are called "${forward.name}"; give each a name of its own`);
    byName.set(forward.name, forward);
  }
  if (byName.size > FORWARDS_MAX)
    throw new ConfigError("forwards", `${byName.size} forwards are given; at most ${FORWARDS_MAX} are allowed, use ranges`);
  checkOverlaps(byName.values());
  return { revision, forwards: byName };
}

/** Those that are switched off claim nothing. */
function checkOverlaps(forwards: Iterable<Forward>): void {
  const exact = new Map<string, Forward>();
  const ranges: Forward[] = [];
  for (const forward of forwards) {
    if (forward.state === "off") continue;
    if (!isExact(forward.listen)) {
      ranges.push(forward);
      continue;
    }
    const place = placeOf(forward);
    const other = exact.get(place);
    if (other !== undefined) throw refusal(other, forward);
    exact.set(place, forward);
  }
  if (ranges.length > 0) sweep([...ranges, ...exact.values()]);
}

function placeOf({ listen: { addresses, ports } }: Forward): string {
  return `${addresses.family}/${addresses.first}/${ports.first}`;
}

/** By first address; what is open at that address is compared by ports, which are kept in order. */
function sweep(forwards: Forward[]): void {
  forwards.sort((a, b) => compare(a, b));
  let open: Forward[] = [];
  let at: Forward | undefined;
  for (const forward of forwards) {
    const { addresses, ports } = forward.listen;
    const moved = at === undefined || at.listen.addresses.family !== addresses.family || at.listen.addresses.first !== addresses.first;
    if (moved) open = open.filter(({ listen }) => listen.addresses.family === addresses.family && listen.addresses.last >= addresses.first);
    at = forward;
    // None of `open` overlap each other: only the neighbours by ports can overlap this one.
    const place = indexAt(open, ports.first);
    for (const other of [open[place - 1], open[place]])
      if (other !== undefined && overlap(other.listen, forward.listen)) throw refusal(other, forward);
    if (place === open.length) open.push(forward);
    else open.splice(place, 0, forward);
  }
}

function compare(a: Forward, b: Forward): number {
  const [one, other] = [a.listen, b.listen];
  if (one.addresses.family !== other.addresses.family) return one.addresses.family - other.addresses.family;
  if (one.addresses.first !== other.addresses.first) return one.addresses.first < other.addresses.first ? -1 : 1;
  return one.ports.first - other.ports.first;
}

/** First index whose ports begin above. */
function indexAt(open: readonly Forward[], port: number): number {
  let low = 0;
  let high = open.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (open[middle]!.listen.ports.first > port) high = middle;
    else low = middle + 1;
  }
  return low;
}

function refusal(a: Forward, b: Forward): ConfigError {
  return new ConfigError(
    "listen",
    `"${a.name}" (${formatListen(a.listen)}) and "${b.name}" (${formatListen(b.listen)}) claim the same datagrams; change one of them`,
  );
}
