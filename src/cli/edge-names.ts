/** `longhaul edge --dns`: the server of accelerators' names beside the traffic. */
import type { EdgeConfig } from "../accelerate/edge-config.ts";
import { NameServer } from "../accelerate/name-server.ts";
import { ConfigError } from "../base/errors.ts";
import { type DnsCounters, DnsServer } from "../host/dns-server.ts";
import { ipFamily } from "../host/ip-address.ts";
import { parseEndpoint } from "../tunnel/address.ts";
import type { EdgeOptions } from "./edge-options.ts";

export interface EdgeNames {
  readonly counters: DnsCounters;
  /** From now on these are the names. */
  take(config: EdgeConfig): void;
  close(): void;
}

const NAME = /^(?=.{1,200}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/** Undefined without option dns. @throws ConfigError, HostError when the place cannot be had */
export async function serveNames({
  dns,
  dnszone: zone,
  dnsserver: servers,
  dnsrate: perSecond,
  ttl,
}: EdgeOptions): Promise<EdgeNames | undefined> {
  if (dns === "") return undefined;
  const at = parseEndpoint("dns", dns, 0);
  if (!("port" in at) || ipFamily(at.host) === 0)
    throw new ConfigError("dns", `--dns: "${dns}" is not allowed; give HOST:PORT, the host as a literal address`);
  if (!NAME.test(zone))
    throw new ConfigError("dnszone", `--dnszone: "${zone}" is not allowed; give the zone's name, as control's --domain`);
  const wrong = servers.find((name) => !NAME.test(name));
  if (wrong !== undefined || servers.length === 0)
    throw new ConfigError("dnsserver", `--dnsserver: "${wrong ?? ""}" is not allowed; give the name of each of the zone's servers`);
  const names = new NameServer({ zone, servers, ttl });
  const server = await DnsServer.listen({ ...at, perSecond, answerer: (question, asked) => names.answer(question, asked) });
  return { counters: server.counters, take: (config) => names.take(config), close: () => server.close() };
}
