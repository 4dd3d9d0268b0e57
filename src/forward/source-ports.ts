/**
 * Ports of this machine that no flow of a forward has: where the kernel's own bookkeeping (conntrack) does not keep apart what is forwarded and what this machine sends itself,
 * answers to its own sockets would be taken for a flow's, which has the same port towards the same backend.
 */
import type { Forward } from "./forward.ts";
import type { PortRange } from "./listen.ts";

/** The longest run of ports between none of the forwards' sources; undefined: they have all. Below 1024 there are services. */
export function sparePorts(forwards: Iterable<Forward>): PortRange | undefined {
  const taken = new Map<string, PortRange>();
  for (const { source } of forwards) if (source.kind !== "transparent") taken.set(source.text, source.ports);
  return longestGap([...taken.values()]);
}

export function longestGap(taken: readonly PortRange[]): PortRange | undefined {
  let found: PortRange | undefined;
  let next = PORT_FIRST;
  for (const { first, last } of [...taken, END].sort((a, b) => a.first - b.first)) {
    if (first - next > (found === undefined ? 0 : found.last - found.first + 1)) found = { first: next, last: first - 1 };
    next = Math.max(next, last + 1);
  }
  return found;
}

const PORT_FIRST = 1024;
const END: PortRange = { first: 65_536, last: 65_536 };
