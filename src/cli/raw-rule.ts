/** The firewall's rule that a raw connection needs, from its settings; and what -g, --gen-add and --clear do with it. */
import { HostError } from "../base/errors.ts";
import { clearFirewall, Firewall, PREFIX } from "../host/firewall.ts";
import { iptablesCommand } from "../host/firewall-iptables.ts";
import { nftablesScript } from "../host/firewall-nftables.ts";
import type { FirewallPattern } from "../host/firewall-pattern.ts";
import { ipFamily, isUnspecified } from "../host/ip-address.ts";
import { createLog } from "../host/log.ts";
import { SystemResolver } from "../host/resolver.ts";
import type { RawSettings } from "./raw-settings.ts";

/** Its name when it is to stay. */
const PERMANENT = `${PREFIX}C`;

/** `remote` as a literal address: what is looked up here is what packets go to. @throws HostError when there is no such name */
export async function withRemoteAddress(settings: RawSettings): Promise<RawSettings> {
  const { host, port } = settings.remote;
  const family = settings.sourceIp === undefined ? 0 : ipFamily(settings.sourceIp);
  if (ipFamily(host) !== 0) return settings;
  const address = await new Promise<string | undefined>((done) => {
    if (!new SystemResolver().resolve(host, family, done)) done(undefined);
  });
  if (address === undefined) throw new HostError("ENOTFOUND", "getaddrinfo", host);
  return { ...settings, remote: { host: address, port } };
}

/** Of settings whose `remote` is an address. */
export function firewallPattern({ role, mode, local, remote }: RawSettings): FirewallPattern {
  const { host, port } = role === "client" ? remote : local;
  return { version: ipFamily(host) === 6 ? 6 : 4, role, mode, address: isUnspecified(host) ? undefined : host, port };
}

/** udp2raw's two lines, then the same for nftables. */
export function ruleText(pattern: FirewallPattern): string {
  return `generated iptables rule:\n${iptablesCommand(pattern)}\n\nthe same for nftables, in a table of its own:\n${nftablesScript(pattern, PERMANENT)}`;
}

export async function addRule(pattern: FirewallPattern): Promise<void> {
  const firewall = await Firewall.install(pattern, createLog("info"), { name: PERMANENT });
  firewall.leave();
}

export async function clearRules(): Promise<void> {
  const removed = await clearFirewall(createLog("warn"));
  process.stdout.write(`${removed} firewall ${removed === 1 ? "rule" : "rules"} removed\n`);
}
