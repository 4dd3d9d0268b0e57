/** What a server of names has counted. */
import type { DnsCounters } from "../host/dns-server.ts";
import type { Family } from "./exposition.ts";

export function dnsFamilies(counters: DnsCounters | undefined): Family[] {
  if (counters === undefined) return [];
  const family = (name: string, help: string, value: number): Family => ({
    ...{ name: `longhaul_edge_dns_${name}`, type: "counter", help },
    samples: [{ value }],
  });
  return [
    family("answers", "Questions about names that were answered.", counters.answers),
    family("truncated_answers", "Answers that sent a network with too many questions to TCP.", counters.truncated),
    family("dropped_queries", "What was no question, or too long for one.", counters.dropped),
    family("refused_connections", "Connections beyond the limit.", counters.connectionsRefused),
  ];
}
