/** The metric families of a forwarder: its forwards, what they drop, its datapath and its changes. */
import type { DatapathStats, ForwardStats } from "../forward/datapath.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import type { BackendHealth } from "../forward/health.ts";
import type { Family, Sample } from "./exposition.ts";
import { snake } from "./snake.ts";

export interface ForwardObservation {
  readonly stats: DatapathStats;
  readonly forwarder: Forwarder;
  readonly health: readonly BackendHealth[];
  /** Further counters, by event. */
  readonly more: Readonly<Record<string, number>>;
}

/** `forwardsMax`: forwards that get series of their own; totals are of all. */
export function forwardFamilies({ stats, forwarder, health, more }: ForwardObservation, forwardsMax: number): Family[] {
  const { state, datapath, counters } = forwarder;
  const all = [...stats.forwards];
  const shown = all.slice(0, forwardsMax);
  const each = (of: (stats: ForwardStats) => number): Sample[] => shown.map(([forward, own]) => ({ labels: { forward }, value: of(own) }));
  const directions = (into: (stats: ForwardStats) => number, out: (stats: ForwardStats) => number): Sample[] =>
    shown.flatMap(([forward, own]) => [
      { labels: { forward, direction: "in" }, value: into(own) },
      { labels: { forward, direction: "out" }, value: out(own) },
    ]);
  const sum = (of: (stats: ForwardStats) => number): number => all.reduce((total, [, own]) => total + of(own), 0);
  return [
    {
      name: "longhaul_forward_datapath",
      type: "info",
      help: "What moves the datagrams.",
      samples: [{ labels: { datapath: datapath.kind }, value: 1 }],
    },
    { name: "longhaul_forwards", type: "gauge", help: "Forwards that shall be.", samples: [{ value: state.forwards.size }] },
    { name: "longhaul_forward_revision", type: "gauge", help: "Revision of what shall be.", samples: [{ value: state.revision }] },
    { name: "longhaul_forward_all_flows", type: "gauge", help: "Flows of all forwards.", samples: [{ value: sum(({ flows }) => flows) }] },
    {
      name: "longhaul_forward_all_packets",
      type: "counter",
      help: "Packets of all forwards, from sources (in) and from backends (out).",
      samples: [
        { labels: { direction: "in" }, value: sum(({ packetsIn }) => packetsIn) },
        { labels: { direction: "out" }, value: sum(({ packetsOut }) => packetsOut) },
      ],
    },
    { name: "longhaul_forward_flows", type: "gauge", help: "Flows of a forward.", samples: each(({ flows }) => flows) },
    {
      name: "longhaul_forward_packets",
      type: "counter",
      help: "Packets forwarded, from sources (in) and from backends (out).",
      samples: directions(
        ({ packetsIn }) => packetsIn,
        ({ packetsOut }) => packetsOut,
      ),
    },
    {
      name: "longhaul_forward_bytes",
      type: "counter",
      unit: "bytes",
      help: "Bytes forwarded, IP headers included.",
      samples: directions(
        ({ bytesIn }) => bytesIn,
        ({ bytesOut }) => bytesOut,
      ),
    },
    {
      name: "longhaul_forward_dropped_packets",
      type: "counter",
      help: "Packets dropped: source not served (denied), beyond a limit (limited), new and nobody to take it (refused).",
      samples: shown.flatMap(([forward, { denied, limited, refused }]) =>
        Object.entries({ denied, limited, refused }).map(([reason, value]) => ({ labels: { forward, reason }, value })),
      ),
    },
    {
      name: "longhaul_forward_backend_healthy",
      type: "gauge",
      help: "Whether a backend that is checked answers.",
      samples: health.map(({ forward, backend, healthy }) => ({ labels: { forward, backend }, value: Number(healthy) })),
    },
    {
      name: "longhaul_forward_events",
      type: "counter",
      help: "Changes of what shall be, and whatever else the datapath counts.",
      samples: Object.entries({ ...counters, ...stats.counters, ...more }).map(([event, value]) => ({
        labels: { event: snake(event) },
        value,
      })),
    },
  ];
}
