/**
 * The firewall's rules of a tunnel's carriers: only a server's icmp needs one, or the kernel answers the client's pings as well. The other carriers keep the
 * kernel quiet by themselves (host/deaf-socket.ts).
 */
import { HostError } from "../base/errors.ts";
import { Firewall } from "../host/firewall.ts";
import { isUnspecified } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import { carrierPlan } from "./carrier-plan.ts";
import type { TunnelEnd } from "./tunnel.ts";

/** Where rules cannot be had, a line says so and the carrier works all the same, with twice the packets. */
export async function addCarrierRules(end: TunnelEnd, log: Log): Promise<Firewall[]> {
  const rules: Firewall[] = [];
  if (end.role === "client") return rules;
  for (const { name, at, raw } of carrierPlan(end)) {
    if (name !== "icmp" || raw === undefined) continue;
    const address = at === undefined || isUnspecified(at.host) ? undefined : at.host;
    try {
      const rule = await Firewall.install({ version: raw.version, role: "server", mode: "icmp", address, port: 0 }, log);
      rule.keep();
      rules.push(rule);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      log.warn({ reason: error.message }, "no firewall rule for carrier icmp: the kernel answers the clients' pings as well");
    }
  }
  return rules;
}
