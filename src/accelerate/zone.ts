/**
 * The accelerators' names as a zone for a DNS server: each name with all of its addresses, which do not change, so that caching does no harm.
 *
 *   a0123456789abcdef.accelerator.example. 300 IN A 198.51.100.1
 *
 * Source: RFC 1035 section 5. A fragment: SOA and NS are the operator's, who includes it ($INCLUDE) in a zone of his.
 */
import type { EdgeConfig } from "./edge-config.ts";

/** In order of names, so that the difference of two is readable. Names that are none by RFC 1035 are left out. */
export function zoneOf(config: EdgeConfig, ttlSeconds: number): string {
  const lines = config.accelerators.flatMap(({ dnsName, addresses }) =>
    NAME.test(dnsName)
      ? addresses.map((address) => `${dnsName.replace(/\.$/, "")}. ${ttlSeconds} IN ${address.includes(":") ? "AAAA" : "A"} ${address}\n`)
      : [],
  );
  return lines.sort().join("");
}

const NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
