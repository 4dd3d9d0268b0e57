/**
 * Which listeners the kernel can forward alone, and as what: an entry for each address and each run of ports that endpoints get at the same ports.
 *
 *   listener 5000–5999, an override 5060 ─► 5000–5059 · 5060 · 5061–5999, at each address of the family
 *
 * What needs a program's hand stays with this process, each with one sentence.
 */
import { textHash } from "../base/text-hash.ts";
import { ipFamily } from "../host/ip-address.ts";
import { Balance, type Standing, type Target } from "./balance.ts";
import type { AcceleratorConfig, EdgeConfig, EndpointConfig, GroupConfig, ListenerConfig } from "./edge-config.ts";
import { kernelChoices } from "./kernel-choices.ts";
import type { KernelBackend, KernelEntry } from "./kernel-forwarder.ts";
import { portOf } from "./served-listener.ts";

/** Backends of one entry. */
const BACKENDS_MAX = 64;

/** What is known of endpoints. */
export interface Known {
  standing(group: GroupConfig, endpoint: EndpointConfig): Standing;
  address(host: string): string | undefined;
  rank(region: string): number;
}

export interface PlacedEntry {
  readonly entry: KernelEntry;
  readonly accelerator: AcceleratorConfig;
  readonly listener: ListenerConfig;
  /** As `entry.backends` has them. */
  readonly targets: readonly Target[];
  readonly balance: Balance;
}

export interface KernelEntries {
  readonly placed: readonly PlacedEntry[];
  /** By "accelerator listener": why this process forwards it. */
  readonly reasons: Map<string, string>;
}

export function kernelEntries(config: EdgeConfig, known: Known): KernelEntries {
  const placed: PlacedEntry[] = [];
  const reasons = new Map<string, string>();
  for (const accelerator of config.accelerators) {
    if (!accelerator.enabled) continue;
    for (const listener of accelerator.listeners) {
      if (listener.protocol !== "UDP") continue;
      const balance = new Balance(listener.groups, (group, endpoint) => known.standing(group, endpoint));
      balance.arrange((region) => known.rank(region));
      const reason = whyNot(accelerator, listener, balance, known);
      if (reason === undefined) placed.push(...entriesOf(accelerator, listener, balance, known));
      else reasons.set(`${accelerator.id} ${listener.id}`, reason);
    }
  }
  return { placed, reasons };
}

function whyNot({ policy, addresses }: AcceleratorConfig, listener: ListenerConfig, balance: Balance, known: Known): string | undefined {
  const { targets } = balance;
  if (listener.groups.length === 0) return "it is one of custom routing";
  if (policy.flowsMax + policy.sourceFlowsMax + policy.sourceFlowsPerSecond > 0)
    return "its policy limits flows, which this process counts";
  if (policy.drainSeconds > 0) return "its policy drains flows, which this process ends";
  if (targets.some(({ endpoint }) => endpoint.client === "proxy")) return "an endpoint gets the client's address by the PROXY protocol";
  if (new Set(targets.map(({ endpoint }) => endpoint.client)).size > 1) return "its endpoints get the client's address in different ways";
  if (targets.length > BACKENDS_MAX) return `it has ${targets.length} endpoints, and the kernel's tables take ${BACKENDS_MAX}`;
  const unknown = targets.find(({ endpoint }) => known.address(endpoint.host) === undefined);
  if (unknown !== undefined) return `the name ${unknown.endpoint.host} has no address yet`;
  const families = new Set([...addresses, ...targets.map(({ endpoint }) => known.address(endpoint.host)!)].map(ipFamily));
  if (families.size > 1) return "clients and endpoints have addresses of both IPv4 and IPv6";
  return kernelChoices(balance).length === 0 ? "it has no endpoint" : undefined;
}

function entriesOf(accelerator: AcceleratorConfig, listener: ListenerConfig, balance: Balance, known: Known): PlacedEntry[] {
  const { policy } = accelerator;
  // Flows of a backend that is not named end, and begin anew with their next datagram: so those of a dead endpoint go elsewhere.
  const alive = balance.targets.filter(({ standing }) => !(standing.dead && policy.repin));
  const chosen = kernelChoices(balance);
  const used = new Set(chosen);
  const kept = [...alive, ...[...used].filter((target) => !alive.includes(target))];
  return runsOf(listener).flatMap(({ from, to }) => {
    const at = new Map<string, number>();
    const backends: KernelBackend[] = [];
    const targets: Target[] = [];
    const index = new Map<Target, number>();
    for (const target of kept) {
      const host = known.address(target.endpoint.host)!;
      const port = target.endpoint.port ?? (from === to ? portOf(target, from) : undefined);
      const key = `${host} ${port}`;
      if (!at.has(key)) {
        at.set(key, backends.length);
        backends.push({ host, port });
        targets.push(target);
      }
      index.set(target, at.get(key)!);
    }
    const choices = chosen.map((target) => index.get(target)!);
    return accelerator.addresses.map((address) => ({
      ...{ accelerator, listener, targets, balance },
      entry: {
        ...{ name: nameOf(accelerator, listener, address, from), address, from, to, backends },
        affinity: listener.affinity,
        transparent: balance.targets[0]!.endpoint.client === "transparent",
        idleSeconds: policy.udpIdleSeconds,
        choices: new Set(choices).size === 1 ? [choices[0]!] : choices,
      },
    }));
  });
}

/** Runs of ports, cut where an override has a port by itself. */
function runsOf({ ports, groups }: ListenerConfig): { from: number; to: number }[] {
  const alone = new Set(groups.flatMap(({ overrides }) => overrides.map(({ listener }) => listener)));
  return ports.flatMap(({ from, to }) => {
    const runs: { from: number; to: number }[] = [];
    let next = from;
    for (const port of [...alone].filter((port) => port >= from && port <= to).sort((a, b) => a - b)) {
      if (port > next) runs.push({ from: next, to: port - 1 });
      runs.push({ from: port, to: port });
      next = port + 1;
    }
    if (next <= to) runs.push({ from: next, to });
    return runs;
  });
}

function nameOf(accelerator: AcceleratorConfig, listener: ListenerConfig, address: string, from: number): string {
  const text = `${accelerator.id} ${listener.id} ${address}`;
  const digits = [textHash(text), textHash(text, 0x65_64_67_65)].map((hash) => hash.toString(16).padStart(8, "0"));
  return `edge-${digits.join("")}-${from}`;
}
