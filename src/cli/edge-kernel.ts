/** `longhaul edge --datapath`: the kernel's forwarder of `longhaul forward`, led by an edge. */
import { readlinkSync } from "node:fs";
import type { KernelEntry, KernelForwarder } from "../accelerate/kernel-forwarder.ts";
import { KernelWay } from "../accelerate/kernel-way.ts";
import { HostError } from "../base/errors.ts";
import { NOTHING_DESIRED } from "../forward/desired-state.ts";
import { type Forward, parseForward, withChoices } from "../forward/forward.ts";
import { Forwarder } from "../forward/forwarder.ts";
import { formatPorts } from "../forward/listen.ts";
import { longestGap } from "../forward/source-ports.ts";
import { localPorts, notForwarded } from "../forward/surroundings.ts";
import { findInstances } from "../host/instances.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { EdgeOptions } from "./edge-options.ts";
import { INSTANCE } from "./forward-control.ts";
import { clearOthers, openDatapath } from "./forward-datapaths.ts";
import { readState, statePath } from "./forward-place.ts";

/** Undefined: this process moves everything. @throws HostError when what is asked for by name cannot be had */
export async function kernelOf({ datapath: wanted }: EdgeOptions, log: Log): Promise<KernelWay | undefined> {
  if (wanted === "userspace") return undefined;
  const why = taken() ?? (await opened(wanted, log));
  if (typeof why !== "string") return new KernelWay(why, log);
  if (wanted !== "auto") throw new HostError("EBUSY", "edge", why);
  log.warn({ reason: why }, "the kernel forwards nothing; this process moves everything");
  return undefined;
}

/** The kernel has one such forwarder in a network namespace. */
function taken(): string | undefined {
  const other = findInstances(true).find(({ name, pid }) => name === INSTANCE && sameNetwork(pid));
  if (other !== undefined) return `"longhaul forward run" leads the kernel's forwarder here, process ${other.pid}`;
  const kept = statePath("");
  return readState(kept).forwards.size > 0 ? `forwards are kept in ${kept}, for "longhaul forward"` : undefined;
}

function sameNetwork(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync("/proc/self/ns/net");
  } catch {
    return false;
  }
}

async function opened(wanted: "auto" | "xdp" | "nftables", log: Log): Promise<KernelForwarder | string> {
  const { datapath, reasons } = await openDatapath(wanted, { log, stays: true, flowsMax: 1, state: NOTHING_DESIRED });
  if (datapath.kind === "userspace") {
    await datapath.close(false);
    return reasons.join("; ");
  }
  await clearOthers(datapath.kind, log);
  log.info({ datapath: datapath.kind, ...(reasons.length > 0 ? { because: reasons } : {}) }, "the kernel forwards what it can alone");
  // Nothing is kept: what is wanted comes anew with every start, and what an earlier process left is led over to it.
  const sourceports = datapath.kind === "xdp" ? portsBesideOurs() : undefined;
  const entryOf = (entry: KernelEntry): Forward => forwardOf(entry, sourceports);
  const forwarder = new Forwarder({ datapath, now: () => performance.now(), keep: () => {} }, NOTHING_DESIRED);
  return {
    kind: datapath.kind,
    refuses: (entry) => notForwarded(ipFamily(entry.address) === 6 ? 6 : 4)[0]?.text ?? datapath.refuses(entryOf(entry)),
    lead: async (entries) => {
      await forwarder.change({ kind: "apply", forwards: entries.map(entryOf) });
    },
    repair: () => forwarder.repair(),
    counts: async () => (await datapath.stats()).forwards,
    flows: async (limit) => {
      const { forwards } = forwarder.effective;
      return (await datapath.flows(limit)).map(({ forward, listen, expiresSeconds, ...flow }) => ({
        ...{ entry: forward, at: listen, ...flow },
        idleSeconds: Math.max(0, (forwards.get(forward)?.idleSeconds ?? 0) - expiresSeconds),
      }));
    },
    close: () => forwarder.close(false),
  };
}

/** This process checks endpoints and serves flows from ports that the kernel gives it: its answers would be taken for those of the program's flows (forward/source-ports.ts). */
function portsBesideOurs(): string | undefined {
  const own = localPorts();
  const ports = own === undefined ? undefined : longestGap([own]);
  return ports === undefined || ports.last - ports.first < SOURCE_PORTS_LEAST ? undefined : formatPorts(ports);
}

function forwardOf(
  { name, address, from, to, affinity, transparent, idleSeconds, backends, choices }: KernelEntry,
  sourceports: string | undefined,
): Forward {
  const place = (host: string, port: string): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
  const used = new Set(choices);
  const forward = parseForward(
    {
      name,
      listen: place(address, from === to ? String(from) : `${from}-${to}`),
      to: backends.map(({ host, port }, i) => `${port === undefined ? host : place(host, String(port))}@${used.has(i) ? 1 : 0}`),
      balance: affinity === "SOURCE_IP" ? "source" : "flow",
      source: transparent ? "transparent" : "auto",
      idle: idleSeconds,
      ...(sourceports === undefined ? {} : { sourceports }),
    },
    name,
  );
  return choices.length > 1 ? withChoices(forward, choices) : forward;
}

/** Fewer than that towards an endpoint are worse than an answer that is lost now and then. */
const SOURCE_PORTS_LEAST = 10_000;
