/**
 * What makes a forwarder faster or keeps its frames, and is nobody's but the operator's to change: queues of interfaces, what is behind a veth, and ports of its own. Pure.
 *
 * Source: reference forward.md section 4, items 1 to 4 and 18.
 */
import type { Interface } from "../host/interface.ts";
import type { DatapathKind } from "./datapath.ts";
import type { PortRange } from "./listen.ts";

/** What the kernel and forwards take as source ports: of this machine's sockets, and what forwards leave. */
export interface PortUse {
  readonly own: PortRange;
  readonly spare: PortRange | undefined;
}

/** Sentences, each with the command that helps. `processors`: that there may be. */
export function advise(interfaces: readonly Interface[], processors: number, kind: DatapathKind, ports?: PortUse): string[] {
  if (kind === "userspace") return [];
  return [...advisePorts(kind, ports), ...adviseInterfaces(interfaces, processors, kind)];
}

/** The program takes answers for a flow's before this machine's sockets see them. */
function advisePorts(kind: DatapathKind, ports: PortUse | undefined): string[] {
  if (kind !== "xdp" || ports === undefined) return [];
  const { own, spare } = ports;
  if (spare !== undefined && own.first >= spare.first && own.last <= spare.last) return [];
  const what =
    "what this machine itself sends to a backend's port (not the checks) can lose its answers to a flow with the same source port";
  const way =
    spare === undefined ? "leave it ports by sourceports" : `sysctl -w net.ipv4.ip_local_port_range="${spare.first} ${spare.last}"`;
  return [`${what}: ${way}`];
}

function adviseInterfaces(interfaces: readonly Interface[], processors: number, kind: DatapathKind): string[] {
  const served = interfaces.filter(({ ethernet, up, master }) => ethernet && up && master === 0);
  return served.flatMap((each) =>
    each.kind === "" ? queues(each, processors) : each.kind === "veth" && kind === "xdp" ? [veth(each)] : [],
  );
}

function queues({ name, receiveQueues }: Interface, processors: number): string[] {
  const spread = `flows between two addresses share a queue unless ports count: ethtool -N ${name} rx-flow-hash udp4 sdfn (and udp6)`;
  if (processors < 2) return [];
  if (receiveQueues > 1) return [`${name}: ${spread}; an interrupt for each processor: /proc/irq/N/smp_affinity_list, without irqbalance`];
  return [
    `${name}: one receive queue, so that one of ${processors} processors does all of the forwarding: ethtool -L ${name} combined ${processors}, where the device can`,
  ];
}

function veth({ name }: Interface): string {
  return `${name} is a veth: frames reach its other end only with "ethtool -K … gro on" there, and senders there must fill in checksums: "ethtool -K … tx off"`;
}
