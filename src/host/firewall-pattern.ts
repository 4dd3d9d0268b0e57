/**
 * Which incoming packets of a raw connection the kernel must not see, as nftables and iptables write it. It has no socket for them: a RST, an ICMP error or
 * an echo reply of its own would disturb the connection. The raw socket sees packets before the firewall does.
 *
 *   client   from the server's address and port          server   to the own port, of one address or all
 *   icmp     the echo's type instead of a port; the host itself no longer answers pings (server)
 *
 * Source: reference udp2raw.md section 6.
 */
import { echoType } from "../faketcp/envelope.ts";
import type { RawMode, Role } from "../faketcp/mode.ts";

export interface FirewallPattern {
  readonly version: 4 | 6;
  readonly role: Role;
  readonly mode: RawMode;
  /** Literal. Client: the server's; server: the own one, undefined for all. */
  readonly address: string | undefined;
  /** The server's, seen from both ends; of no meaning for icmp. */
  readonly port: number;
}

/** "-s 192.0.2.1 -p tcp -m tcp --sport 4096", as words. */
export function iptablesWords({ version, role, mode, address, port }: FirewallPattern): string[] {
  const client = role === "client";
  const words = address === undefined ? [] : [client ? "-s" : "-d", address];
  if (mode === "icmp") {
    const name = version === 4 ? "icmp" : "icmpv6";
    return [...words, "-p", name, `--${name}-type`, String(incomingEcho(role, version))];
  }
  const protocol = mode === "faketcp" ? "tcp" : "udp";
  return [...words, "-p", protocol, "-m", protocol, client ? "--sport" : "--dport", String(port)];
}

/** "ip saddr 192.0.2.1 tcp sport 4096"; `outgoing`: the packets that answer them. */
export function nftablesMatch({ version, role, mode, address, port }: FirewallPattern, outgoing: boolean): string {
  const far = (role === "client") !== outgoing;
  const family = version === 4 ? "ip" : "ip6";
  const place = address === undefined ? `meta nfproto ipv${version}` : `${family} ${far ? "saddr" : "daddr"} ${address}`;
  if (mode === "icmp") {
    const sender = outgoing ? role : role === "client" ? "server" : "client";
    return `${place} ${version === 4 ? "icmp" : "icmpv6"} type ${echoType(sender, version === 6)}`;
  }
  return `${place} ${mode === "faketcp" ? "tcp" : "udp"} ${far ? "sport" : "dport"} ${port}`;
}

function incomingEcho(role: Role, version: 4 | 6): number {
  return echoType(role === "client" ? "server" : "client", version === 6);
}
