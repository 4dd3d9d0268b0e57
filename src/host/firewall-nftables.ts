/**
 * The rule in nftables: a table of our own, so that nobody else's is touched, put there and taken away in one transaction each.
 *
 *   table inet NAME
 *     chain in    hook input    priority −300    MATCH drop
 *     chain out   hook output   priority −300    MATCH notrack     conntrack never saw these connections begin: hosts that drop what is INVALID
 *                                                                  would drop our answers
 *
 * Deviations from udp2raw, which knows iptables alone: all of it. A policy that lets out only what is new or established must let out untracked too.
 */
import type { FirewallBackend } from "./firewall.ts";
import { type FirewallPattern, nftablesMatch } from "./firewall-pattern.ts";

export const nftables: FirewallBackend = {
  name: "nftables",
  install: (pattern, name) => [{ program: "nft", args: ["-f", "-"], input: nftablesScript(pattern, name) }],
  remove: (_pattern, name) => [{ program: "nft", args: ["delete", "table", "inet", name] }],
  list: (_pattern, name) => ({ program: "nft", args: ["-nn", "list", "table", "inet", name] }),
  own: (listing) => listing,
  listAll: () => [{ program: "nft", args: ["list", "tables"] }],
  removeAll: (listing, prefix) =>
    [...listing.matchAll(/^table inet (\w+)$/gm)]
      .filter(([, name]) => name!.startsWith(prefix))
      .map(([, name]) => ({ program: "nft", args: ["delete", "table", "inet", name!] })),
};

/** Replaces the table if there is one. */
export function nftablesScript(pattern: FirewallPattern, name: string): string {
  return `add table inet ${name}
delete table inet ${name}
table inet ${name} {
  chain in {
    type filter hook input priority -300; policy accept;
    ${nftablesMatch(pattern, false)} drop
  }
  chain out {
    type filter hook output priority -300; policy accept;
    ${nftablesMatch(pattern, true)} notrack
  }
}
`;
}
