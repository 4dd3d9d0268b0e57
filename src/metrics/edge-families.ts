/** The metric families of an edge. Named after Global Accelerator's CloudWatch metrics where those exist: NewFlowCount is longhaul_edge_new_flows_total. */
import type { Edge } from "../accelerate/edge.ts";
import type { ListenerObservation, PlaneObservation } from "../accelerate/observation.ts";
import type { Family, Labels, Sample } from "./exposition.ts";
import { snake } from "./snake.ts";

/** Of an edge that belongs to an installation. */
export interface LinkFacts {
  readonly linked: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

export function edgeFamilies(
  { plane }: { readonly plane: PlaneObservation },
  edge: Edge,
  more: Readonly<Record<string, number>>,
  link?: LinkFacts,
): Family[] {
  const { health, config, counters, names } = edge;
  const each = (of: (listener: ListenerObservation) => number): Sample[] =>
    plane.listeners.map((listener) => ({ labels: labelsOf(listener), value: of(listener) }));
  const byKey = (label: string, of: (listener: ListenerObservation) => object): Sample[] =>
    plane.listeners.flatMap((listener) =>
      Object.entries(of(listener)).map(([key, value]) => ({
        labels: { ...labelsOf(listener), [label]: snake(key) },
        value: value as number,
      })),
    );
  const endpoints = (of: (endpoint: ListenerObservation["endpoints"][number]) => number): Sample[] =>
    plane.listeners.flatMap((listener) =>
      listener.endpoints.map((endpoint) => ({
        labels: { ...labelsOf(listener), group: endpoint.group, region: endpoint.region, endpoint: endpoint.id },
        value: of(endpoint),
      })),
    );
  const healthy = (wanted: boolean): Sample[] =>
    plane.listeners.map((listener) => ({
      labels: labelsOf(listener),
      value: listener.endpoints.filter((endpoint) => endpoint.healthy === wanted).length,
    }));
  return [
    { name: "longhaul_edge_revision", type: "gauge", help: "Revision of what is served.", samples: [{ value: config.revision }] },
    { name: "longhaul_edge_accelerators", type: "gauge", help: "Accelerators known.", samples: [{ value: config.accelerators.length }] },
    {
      name: "longhaul_edge_serving",
      type: "gauge",
      help: "Whether there is an endpoint to send to.",
      samples: [{ value: Number(edge.canServe) }],
    },
    {
      name: "longhaul_edge_places_missing",
      type: "gauge",
      help: "Places that cannot be opened.",
      samples: [{ value: plane.problems.length }],
    },
    { name: "longhaul_edge_flows", type: "gauge", help: "Flows that run.", samples: each(({ flows }) => flows) },
    {
      name: "longhaul_edge_sources",
      type: "gauge",
      help: "Source addresses whose limits are watched.",
      samples: each(({ sources }) => sources),
    },
    ...(link === undefined
      ? []
      : [
          {
            name: "longhaul_edge_control_linked",
            type: "gauge" as const,
            help: "Whether control is reached.",
            samples: [{ value: Number(link.linked) }],
          },
        ]),
    { name: "longhaul_edge_new_flows", type: "counter", help: "Flows begun (NewFlowCount).", samples: each(({ stats }) => stats.newFlows) },
    {
      name: "longhaul_edge_processed_bytes",
      type: "counter",
      unit: "bytes",
      help: "Bytes from clients (in) and from endpoints (out): ProcessedBytesIn, ProcessedBytesOut.",
      samples: byKey("direction", ({ stats }) => ({ in: stats.bytesIn, out: stats.bytesOut })),
    },
    {
      name: "longhaul_edge_processed_packets",
      type: "counter",
      help: "Datagrams from clients (in) and from endpoints (out).",
      samples: byKey("direction", ({ stats }) => ({ in: stats.packetsIn, out: stats.packetsOut })),
    },
    {
      name: "longhaul_edge_flows_dropped_no_endpoint",
      type: "counter",
      help: "New flows for which no endpoint was found (Flows_Dropped_No_Endpoint_Found).",
      samples: each(({ stats }) => stats.noEndpoint),
    },
    {
      name: "longhaul_edge_diverted_flows",
      type: "counter",
      help: "New flows that went to another group (failover) or to any endpoint (fail open); running ones that went elsewhere (repinned).",
      samples: byKey("how", ({ stats }) => ({ failover: stats.failovers, failOpen: stats.failOpens, repinned: stats.repinned })),
    },
    {
      name: "longhaul_edge_ended_flows",
      type: "counter",
      help: "Flows ended, by reason.",
      samples: byKey("reason", ({ stats }) => stats.ended),
    },
    {
      name: "longhaul_edge_refused_flows",
      type: "counter",
      help: "New flows beyond a limit.",
      samples: byKey("limit", ({ refused }) => refused),
    },
    { name: "longhaul_edge_endpoint_flows", type: "gauge", help: "Flows of an endpoint.", samples: endpoints(({ flows }) => flows) },
    {
      name: "longhaul_edge_endpoint_healthy",
      type: "gauge",
      help: "Whether an endpoint answers.",
      samples: endpoints((endpoint) => Number(endpoint.healthy)),
    },
    { name: "longhaul_edge_healthy_endpoints", type: "gauge", help: "HealthyEndpointCount.", samples: healthy(true) },
    { name: "longhaul_edge_unhealthy_endpoints", type: "gauge", help: "UnhealthyEndpointCount.", samples: healthy(false) },
    {
      name: "longhaul_edge_region_distance_seconds",
      type: "gauge",
      unit: "seconds",
      help: "How long the closest endpoint of a region takes to answer a check.",
      samples: health.closeness.regions.flatMap((region) => {
        const distance = health.closeness.distance(region);
        return distance === undefined ? [] : [{ labels: { region }, value: distance / 1000 }];
      }),
    },
    {
      name: "longhaul_edge_events",
      type: "counter",
      help: "Checks, configurations, and limits that were hit.",
      samples: Object.entries({
        ...eventsOf(plane.counters),
        ...counters,
        ...health.counters,
        ...names.counters,
        ...link?.counters,
        ...edge.kernel?.counters,
        ...more,
      }).map(([event, value]) => ({
        labels: { event: snake(event) },
        value,
      })),
    },
    {
      name: "longhaul_edge_buffers",
      type: "gauge",
      help: "Buffers that hold bytes which were not taken yet.",
      samples: [{ value: plane.counters.buffersOut ?? 0 }],
    },
    {
      name: "longhaul_edge_connecting",
      type: "gauge",
      help: "Connections being made.",
      samples: [{ value: plane.counters.connecting ?? 0 }],
    },
  ];
}

function labelsOf({ accelerator, listener, protocol }: ListenerObservation): Labels {
  return { accelerator, listener, protocol };
}

function eventsOf({ buffersOut: _buffers, connecting: _connecting, ...events }: Record<string, number>): Record<string, number> {
  return events;
}
