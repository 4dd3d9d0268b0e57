/** What a data plane tells of itself, as plain data that can go to another thread, and what several tell together. */

import type { Destination, Flow, Way } from "./flow.ts";
import type { Plane, Problem } from "./plane.ts";
import type { ListenerStats } from "./served-listener.ts";
import { newListenerStats } from "./served-listener.ts";
import type { Refusal } from "./source-limits.ts";

export interface EndpointObservation {
  readonly id: string;
  readonly group: string;
  readonly region: string;
  readonly healthy: boolean;
  flows: number;
}

export interface ListenerObservation {
  readonly accelerator: string;
  readonly listener: string;
  readonly protocol: "TCP" | "UDP";
  flows: number;
  sources: number;
  readonly stats: ListenerStats;
  readonly refused: Record<Refusal, number>;
  readonly endpoints: readonly EndpointObservation[];
}

export interface PlaneObservation {
  readonly listeners: readonly ListenerObservation[];
  readonly counters: Record<string, number>;
  readonly problems: readonly Problem[];
}

export interface FlowObservation {
  readonly accelerator: string;
  readonly listener: string;
  readonly protocol: "TCP" | "UDP";
  readonly way: Way;
  readonly source: string;
  readonly at: string;
  readonly seenAs: string;
  readonly endpoint: string;
  readonly endpointId: string;
  /** "" for what a route says. */
  readonly region: string;
  /** Why it went there: its region's dial kept it; nobody of that region was healthy; nobody at all was; a route says so. */
  readonly why: Destination["reason"];
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Missing for connections. */
  readonly packetsIn?: number;
  readonly packetsOut?: number;
  /** Missing for one of the kernel. */
  readonly seconds?: number;
  readonly idleSeconds: number;
}

export function observe(plane: Plane): PlaneObservation {
  const listeners = Array.from(plane.listeners(), (served): ListenerObservation => {
    const { accelerator, config, stats, limits, flows, targets } = served;
    const endpoints = new Map(
      targets.map((target) => {
        const { endpoint, group, standing } = target;
        return [
          `${group.id} ${endpoint.id}`,
          { id: endpoint.id, group: group.id, region: group.region, healthy: standing.healthy, flows: 0 },
        ];
      }),
    );
    for (const { destination } of flows) {
      const { target } = destination;
      const known = target && endpoints.get(`${target.group.id} ${target.endpoint.id}`);
      if (known !== undefined) known.flows++;
    }
    return {
      ...{ accelerator: accelerator.id, listener: config.id, protocol: config.protocol, flows: flows.size, sources: limits.sources },
      stats: structuredClone(stats),
      refused: { ...limits.refused },
      endpoints: [...endpoints.values()],
    };
  });
  const counters = {
    ...plane.counters,
    datagramsTooLong: plane.datagramsTooLong,
    buffersOut: plane.slots.out,
    connecting: plane.connecting.size,
  };
  return { listeners, counters, problems: plane.problems };
}

export function describe(flow: Flow, now: number): FlowObservation {
  const { key, served, destination, seenAs, bytesIn, bytesOut, startedAt, activeAt } = flow;
  const place = (host: string, port: number): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
  return {
    ...{ accelerator: served.accelerator.id, listener: served.config.id, protocol: key.protocol, way: flow.way },
    ...{ source: place(key.source, key.sourcePort), at: place(key.address, key.port), seenAs },
    ...{ endpoint: place(destination.host, destination.port), endpointId: destination.target?.endpoint.id ?? "" },
    ...{ region: destination.target?.group.region ?? "", why: destination.reason },
    ...(flow.packetsIn === undefined ? {} : { packetsIn: flow.packetsIn, packetsOut: flow.packetsOut! }),
    ...{ bytesIn, bytesOut, seconds: (now - startedAt) / 1000, idleSeconds: (now - activeAt) / 1000 },
  };
}

/** Of several threads that serve the same: sums. */
export function merge(all: readonly PlaneObservation[]): PlaneObservation {
  const listeners = new Map<string, ListenerObservation>();
  const counters: Record<string, number> = {};
  const problems = new Map<string, Problem>();
  for (const observation of all) {
    for (const [name, value] of Object.entries(observation.counters)) counters[name] = (counters[name] ?? 0) + value;
    for (const problem of observation.problems) problems.set(problem.place, problem);
    for (const listener of observation.listeners) {
      const key = `${listener.accelerator} ${listener.listener}`;
      const sum = listeners.get(key);
      if (sum === undefined) listeners.set(key, structuredClone(listener));
      else add(sum, listener);
    }
  }
  return { listeners: [...listeners.values()], counters, problems: [...problems.values()] };
}

function add(sum: ListenerObservation, more: ListenerObservation): void {
  sum.flows += more.flows;
  sum.sources += more.sources;
  addNumbers(sum.refused, more.refused);
  const { ended, ...counted } = more.stats;
  addNumbers(sum.stats, counted);
  addNumbers(sum.stats.ended, ended);
  for (const endpoint of sum.endpoints)
    endpoint.flows += more.endpoints.find(({ id, group }) => id === endpoint.id && group === endpoint.group)?.flows ?? 0;
}

function addNumbers<T extends object>(sum: T, more: Partial<Record<keyof T, unknown>>): void {
  for (const key of Object.keys(more) as (keyof T)[]) sum[key] = (((sum[key] as number) ?? 0) + (more[key] as number)) as T[keyof T];
}

/** What all listeners count together. */
export function totals({ listeners }: PlaneObservation): ListenerStats & { flows: number } {
  const sum = { ...newListenerStats(), flows: 0 };
  for (const { stats, flows } of listeners) {
    const { ended, ...counted } = stats;
    addNumbers(sum, { ...counted, flows });
    addNumbers(sum.ended, ended);
  }
  return sum;
}
