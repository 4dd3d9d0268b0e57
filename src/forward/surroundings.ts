/** What around a datapath keeps it from working, or will: settings of the kernel and other people's rules. Each finding says how it is mended. */
import { NfTables } from "../host/nf-tables/nf-tables.ts";
import { listSysctl, readSysctl, writeSysctl } from "../host/sysctl.ts";
import type { DatapathKind } from "./datapath.ts";
import type { DesiredState } from "./desired-state.ts";
import type { Family } from "./ip-range.ts";
import type { PortRange } from "./listen.ts";

export interface Finding {
  /** error: nothing comes through. warning: something is lost or not counted. */
  readonly level: "error" | "warning";
  readonly text: string;
  /** A setting that mends it, as sysctl(8) has it. */
  readonly fix?: { readonly name: string; readonly value: string };
}

/** Connections for each forward that shall fit at least, beside what others have. */
const CONNECTIONS_PER_FORWARD = 4;
const CONNECTIONS_FIX = 1_048_576;

export function examine(state: DesiredState, kind: DatapathKind): Finding[] {
  if (kind === "userspace") return [];
  const on = [...state.forwards.values()].filter((forward) => forward.state !== "off");
  const families = new Set(on.map(({ listen }) => listen.addresses.family));
  const findings = [...families].flatMap(notForwarded);
  // Who asks before there is a forward wants to know what the first one will meet.
  if (on.length === 0) findings.push(...notForwarded(4).map((finding) => ({ ...finding, level: "warning" as const })));
  if (on.some(({ source }) => source.kind === "transparent")) {
    for (const name of listSysctl("net/ipv4/conf")) {
      const path = `net/ipv4/conf/${name}/rp_filter`;
      if (name !== "lo" && readSysctl(path) === "1")
        findings.push({
          level: "warning",
          text: `strict rp_filter at ${name} drops what comes by another way than answers go`,
          fix: { name: path, value: "2" },
        });
    }
  }
  if (kind === "nftables") {
    wanted(findings, "warning", "net.netfilter.nf_conntrack_acct", "1", "conntrack does not count: packets and bytes of forwards stay 0");
    findings.push(...connections(on.length));
    findings.push(...forwardPolicies());
  }
  return findings;
}

/** That datagrams of this family stay where they come in. */
export function notForwarded(family: Family): Finding[] {
  const findings: Finding[] = [];
  const name = family === 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
  wanted(findings, "error", name, "1", `IPv${family} is not forwarded between interfaces`);
  return findings;
}

/** From which sockets of this machine are given ports that they do not ask for. */
export function localPorts(): PortRange | undefined {
  const [first = 0, last = 0] = (readSysctl("net.ipv4.ip_local_port_range") ?? "").split(/\s+/).map(Number);
  return first > 0 && last >= first ? { first, last } : undefined;
}

/** Sets what can be set; answers what was. @throws HostError */
export function fix(findings: readonly Finding[]): string[] {
  return findings.flatMap((finding) => {
    if (finding.fix === undefined) return [];
    writeSysctl(finding.fix.name, finding.fix.value);
    return [`${finding.fix.name}=${finding.fix.value}`];
  });
}

function wanted(findings: Finding[], level: Finding["level"], name: string, value: string, text: string): void {
  if ((readSysctl(name) ?? value) !== value) findings.push({ level, text, fix: { name, value } });
}

function connections(forwards: number): Finding[] {
  const most = Number(readSysctl("net.netfilter.nf_conntrack_max") ?? Number.NaN);
  const now = Number(readSysctl("net.netfilter.nf_conntrack_count") ?? 0);
  const need = forwards * CONNECTIONS_PER_FORWARD;
  if (!(most < need || now > most * 0.8)) return [];
  const text = `room for ${most} connections, ${now} are there and ${forwards} forwards may want more; "table full" drops what is new`;
  return [{ level: "warning", text, fix: { name: "net.netfilter.nf_conntrack_max", value: String(Math.max(CONNECTIONS_FIX, 2 * need)) } }];
}

/** Somebody else's chain that drops what is forwarded unless told otherwise, as Docker's and many firewalls' does. */
function forwardPolicies(): Finding[] {
  const kernel = new NfTables();
  try {
    return kernel
      .chains()
      .filter(({ dropsForwarded }) => dropsForwarded)
      .map((chain) => {
        const name = `${chain.family} ${chain.table} ${chain.name}`;
        const text = `the chain "${name}" drops what it is not told to accept; let it accept what was translated: nft add rule ${name} ct status dnat accept`;
        return { level: "warning", text };
      });
  } finally {
    kernel.close();
  }
}
