/** `longhaul forward list|stats|flows|check|explain`. */
import type { z } from "zod";
import { ConfigError, HostError } from "../base/errors.ts";
import { advise } from "../forward/advice.ts";
import type { DatapathKind, DatapathStats, Flow } from "../forward/datapath.ts";
import { newForwardStats } from "../forward/datapath.ts";
import type { DesiredState } from "../forward/desired-state.ts";
import { entryOf, type Forward, weighted } from "../forward/forward.ts";
import { formatIpRange } from "../forward/ip-range.ts";
import { formatBackend, formatListen, formatPorts } from "../forward/listen.ts";
import { sparePorts } from "../forward/source-ports.ts";
import { examine, fix, localPorts } from "../forward/surroundings.ts";
import { pinnedNames, possibleCpus } from "../host/bpf/bpffs.ts";
import { listInterfaces } from "../host/interface.ts";
import { silentLog } from "../host/log.ts";
import { loadSys } from "../host/sys.ts";
import { amount } from "../top/quantity.ts";
import { Remote } from "./forward-control.ts";
import { openDatapath, XDP_PINS } from "./forward-datapaths.ts";
import type { checkConfig, explainConfig, flowsConfig, listConfig, Shared, statsConfig } from "./forward-options.ts";
import { readState, statePath } from "./forward-place.ts";
import { printTable } from "./print-table.ts";

/** Where counts come from: the process that runs, or the kernel. */
export interface CountSource {
  readonly kind: string;
  readonly stats: () => Promise<DatapathStats>;
  readonly flows: (limit: number, forward?: string) => Promise<readonly Flow[]>;
}

export async function withSource<T>(given: Shared, path: string, work: (source: CountSource) => Promise<T>): Promise<T> {
  const remote = await Remote.find(path);
  if (remote !== undefined)
    return work({ kind: remote.place.datapath, stats: () => remote.stats(), flows: (limit, forward) => remote.flows(limit, forward) });
  const state = readState(path);
  const { datapath } = await openDatapath(given.datapath, { log: silentLog, stays: false, flowsMax: 0, state });
  try {
    if (datapath.look === undefined)
      throw new HostError("ENOTSUP", "forward", `only the process that runs can see what ${datapath.kind} does`);
    datapath.look(state);
    return await work({ kind: datapath.kind, stats: () => datapath.stats(), flows: (limit, forward) => datapath.flows(limit, forward) });
  } finally {
    await datapath.close(true);
  }
}

export async function runList(given: z.output<typeof listConfig>): Promise<number> {
  const forwards = chosen(readState(statePath(given.state)), given.names);
  if (given.json) process.stdout.write(`${JSON.stringify(forwards.map(entryOf), null, 2)}\n`);
  else if (forwards.length === 0) process.stdout.write('no forwards; "longhaul forward add --listen ADDR:PORT --to ADDR:PORT" makes one\n');
  else
    printTable(
      ["NAME", "LISTEN", "TO", "STATE"],
      forwards.map((forward) => [forward.name, formatListen(forward.listen), backendsOf(forward), forward.state]),
    );
  return 0;
}

export async function runStats(given: z.output<typeof statsConfig>): Promise<number> {
  const path = statePath(given.state);
  const forwards = chosen(readState(path), given.names);
  const { forwards: counted, counters } = await withSource(given, path, ({ stats }) => stats());
  if (given.json) {
    const all = Object.fromEntries(forwards.map(({ name }) => [name, counted.get(name) ?? newForwardStats()]));
    process.stdout.write(`${JSON.stringify({ forwards: all, counters }, null, 2)}\n`);
    return 0;
  }
  printTable(
    ["NAME", "FLOWS", "PACKETS IN", "BYTES IN", "PACKETS OUT", "BYTES OUT", "DENIED", "LIMITED", "REFUSED"],
    forwards.map(({ name }) => {
      const { flows, packetsIn, bytesIn, packetsOut, bytesOut, denied, limited, refused } = counted.get(name) ?? newForwardStats();
      return [name, ...[flows, packetsIn, bytesIn, packetsOut, bytesOut, denied, limited, refused].map(amount)];
    }),
  );
  return 0;
}

export async function runFlows(given: z.output<typeof flowsConfig>): Promise<number> {
  const path = statePath(given.state);
  chosen(readState(path), given.names);
  const flows = await withSource(given, path, async (source) => {
    const wanted = given.names.length === 0 ? [undefined] : given.names;
    const found: Flow[] = [];
    for (const name of wanted) found.push(...(await source.flows(given.limit - found.length, name)));
    return found;
  });
  if (given.json) process.stdout.write(`${JSON.stringify(flows, null, 2)}\n`);
  else
    printTable(
      ["FORWARD", "SOURCE", "LISTEN", "SEEN AS", "BACKEND", "IN", "OUT", "ENDS"],
      flows.map((flow) => [
        ...[flow.forward, flow.source, flow.listen, flow.seenAs, flow.backend],
        ...[amount(flow.packetsIn), amount(flow.packetsOut), `${flow.expiresSeconds}s`],
      ]),
    );
  return 0;
}

export async function runCheck(given: z.output<typeof checkConfig>): Promise<number> {
  const path = statePath(given.state);
  const state = readState(path);
  const remote = await Remote.find(path);
  const { kind, reasons } =
    remote === undefined ? await possible(given, state) : { kind: remote.place.datapath, reasons: remote.place.reasons };
  process.stdout.write(`${state.forwards.size} forwards, revision ${state.revision}, ${path}\n`);
  process.stdout.write(`datapath: ${kind}${remote === undefined ? "" : `, in process ${remote.place.pid}`}\n`);
  for (const reason of reasons) process.stdout.write(`  ${reason}\n`);
  const findings = examine(state, kind);
  for (const { level, text, fix: mend } of findings)
    process.stdout.write(`${level}: ${text}${mend === undefined ? "" : ` (sysctl ${mend.name}=${mend.value})`}\n`);
  if (findings.length === 0) process.stdout.write("nothing is in the way\n");
  for (const advice of adviceFor(kind, state)) process.stdout.write(`advice: ${advice}\n`);
  if (!given.fix) return findings.some(({ level }) => level === "error") ? 1 : 0;
  for (const setting of fix(findings)) process.stdout.write(`set ${setting}; write it to /etc/sysctl.d/longhaul.conf to keep it\n`);
  return examine(state, kind).some(({ level }) => level === "error") ? 1 : 0;
}

/** None where interfaces cannot be asked for. */
function adviceFor(kind: DatapathKind, { forwards }: DesiredState): string[] {
  try {
    const own = localPorts();
    const ports = own === undefined || forwards.size === 0 ? undefined : { own, spare: sparePorts(forwards.values()) };
    return advise(listInterfaces(loadSys()), possibleCpus(), kind, ports);
  } catch {
    return [];
  }
}

/** What "run" would take; nothing is left of having tried. */
async function possible(given: Shared, state: DesiredState): Promise<{ kind: DatapathKind; reasons: readonly string[] }> {
  const here = pinnedNames(XDP_PINS).length > 0;
  const { datapath, reasons } = await openDatapath(given.datapath, { log: silentLog, stays: true, flowsMax: 1, state, gently: true });
  await datapath.close(datapath.kind === "nftables" || here);
  return { kind: datapath.kind, reasons };
}

export async function runExplain(given: z.output<typeof explainConfig>): Promise<number> {
  const forwards = chosen(readState(statePath(given.state)), given.names);
  process.stdout.write(`${forwards.map(explainForward).join("\n\n")}\n`);
  return 0;
}

/** In words, in the order in which a datagram meets it. */
export function explainForward(forward: Forward): string {
  const { name, listen, limits, source, allow, deny, state } = forward;
  const total = weighted(forward).reduce((sum, { weight }) => sum + weight, 0);
  const lines = [`${name}: UDP to ${formatListen(listen)}`];
  if (state === "off") lines.push("  is off: nothing is forwarded");
  if (deny.length > 0) lines.push(`  dropped from ${deny.map(formatIpRange).join(", ")}`);
  if (allow.length > 0) lines.push(`  dropped unless from ${allow.map(formatIpRange).join(", ")}`);
  const rates = [
    [limits.packets, "packets/s of all together"],
    [limits.bytes, "bytes/s of all together"],
    [limits.sourcePackets, "packets/s of each source"],
    [limits.sourceBytes, "bytes/s of each source"],
  ] as const;
  for (const [rate, what] of rates) if (rate > 0) lines.push(`  dropped beyond ${rate} ${what}`);
  if (state === "draining") lines.push("  new flows are dropped (draining)");
  if (total === 0) lines.push("  new flows are dropped (no backend has a weight)");
  for (const backend of forward.backends) {
    const share = total === 0 ? 0 : (100 * backend.weight) / total;
    lines.push(
      `  ${share.toFixed(share < 10 ? 1 : 0)} % of ${forward.balance === "flow" ? "flows" : "source addresses"} to ${formatBackend(backend)}`,
    );
  }
  if (source.kind === "transparent") lines.push("  backends see the client's own address: their way back must lead through this machine");
  else if (source.kind === "auto")
    lines.push(`  backends see this machine's address on the way to them, ports ${formatPorts(source.ports)}`);
  else lines.push(`  backends see ${source.ranges.map(formatIpRange).join(", ")}, ports ${formatPorts(source.ports)}`);
  lines.push(`  a flow ends after ${forward.idleSeconds} s without a datagram`);
  if (forward.check !== undefined) lines.push(`  backends are checked by ${forward.check.kind} every ${forward.check.periodSeconds} s`);
  if (forward.sip) lines.push("  media ports that backends name in SDP are opened");
  return lines.join("\n");
}

/** @throws ConfigError for a name that is none */
export function chosen(state: DesiredState, names: readonly string[]): Forward[] {
  if (names.length === 0) return [...state.forwards.values()];
  return names.map((name) => {
    const forward = state.forwards.get(name);
    if (forward === undefined)
      throw new ConfigError("names", `no forward is called "${name}"; "longhaul forward list" shows which there are`);
    return forward;
  });
}

function backendsOf({ backends }: Forward): string {
  return backends.map((backend) => formatBackend(backend) + (backend.weight === 1 ? "" : `@${backend.weight}`)).join(" ");
}
