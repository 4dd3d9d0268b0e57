/** What the pages show of raw carriers. */
import type { RawConnectionReport, RawObservation } from "../carrier/observation.ts";
import type { Family, Labels, Sample } from "./exposition.ts";
import { processFamilies } from "./families.ts";
import type { Watched } from "./pages.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { snake } from "./snake.ts";
import { type SessionStatus, STATUS_VERSION, type Status } from "./status.ts";

export interface RawEndFacts {
  readonly settings: {
    readonly role: "client" | "server";
    readonly mode: string;
    readonly cipherMode: string;
    readonly authMode: string;
    readonly local: { readonly host: string; readonly port: number };
    readonly remote: { readonly host: string; readonly port: number };
  };
  readonly cpuSeconds: number;
  /** Of each thread. */
  readonly observations: readonly RawObservation[];
  readonly firewall: { readonly checks: number; readonly restored: number; readonly failed: number } | undefined;
}

/** `wallClock`: Unix ms. */
export function watchedRaw(ends: () => Promise<RawEndFacts[]>, facts: () => ProcessFacts, wallClock: () => number): Watched {
  return {
    families: async () => [...processFamilies(facts(), "raw"), ...rawFamilies(await ends())],
    status: async () => rawStatus(await ends(), facts(), wallClock()),
  };
}

/** As status.ts has it, so that `longhaul top` shows it: a raw connection is a session, a conversation a stream. With `carriers`, end by end. */
function rawStatus(ends: readonly RawEndFacts[], facts: ProcessFacts, now: number): Status & { readonly carriers: readonly object[] } {
  const { release, pid, startedAt, io, at, to, cpuSeconds, rssBytes } = facts;
  const all = ends.flatMap(({ observations }) => observations);
  const connections = ends.flatMap(({ observations }, end) =>
    observations.flatMap((each) => each.connections.map((report) => ({ end, report }))),
  );
  const conversations = sum(all, (each) => each.conversations);
  const omitted = sum(all, ({ connectionsOmitted }) => connectionsOmitted);
  return {
    ...{ version: STATUS_VERSION, release, role: "raw", pid, now, observedMs: now, startedAt, io, at, to, cpuSeconds, rssBytes },
    workerCpuSeconds: ends.map((end) => end.cpuSeconds),
    rtt: { counts: [], sumMs: 0 },
    gauges: { sessions: connections.length + omitted, streams: conversations },
    counters: counted(all),
    sessions: connections.map(({ end, report }) => sessionOf(`${end}.${report.peer}`, report)),
    sessionsOmitted: omitted,
    streams: [],
    users: [],
    carriers: ends.map(({ settings: { role, mode, cipherMode, authMode, local, remote }, observations, firewall, cpuSeconds: cpu }) => ({
      ...{ role, mode, cipherMode, authMode, local, remote, cpuSeconds: cpu },
      conversations: sum(observations, (each) => each.conversations),
      connections: observations.flatMap((each) => each.connections),
      connectionsOmitted: sum(observations, ({ connectionsOmitted }) => connectionsOmitted),
      counters: counted(observations),
      ...(firewall === undefined ? {} : { firewall }),
    })),
  };
}

/** What a raw connection does not have is 0. */
function sessionOf(key: string, report: RawConnectionReport): SessionStatus {
  const { peer, seconds, heardSeconds, conversations, sentBytes, receivedBytes, sentDatagrams, receivedDatagrams } = report;
  return {
    ...{ key, peer, seconds, heardSeconds, streams: conversations, rttMs: 0, rttLeastMs: -1, jitterMs: 0, rtoMs: 0 },
    ...{ waitingSegments: 0, inFlightSegments: 0, windowSegments: 0, remoteWindow: 0 },
    ...{ sentSegments: 0, resentSegments: 0, receivedSegments: 0, repeatedSegments: 0, fecDataShards: 0, fecRecovered: 0, fecLost: 0 },
    ...{ sentPayloadBytes: sentBytes, receivedPayloadBytes: receivedBytes, sentBytes, receivedBytes, sentDatagrams, receivedDatagrams },
  };
}

export function rawFamilies(ends: readonly RawEndFacts[]): Family[] {
  const labels = ({ settings: { role, mode, local } }: RawEndFacts): Labels => ({ role, mode, at: `${local.host}:${local.port}` });
  const each = (of: (end: RawEndFacts) => number): Sample[] => ends.map((end) => ({ labels: labels(end), value: of(end) }));
  const count = (module: string, name: string, help: string, family: string): Family => ({
    name: `longhaul_raw_${family}`,
    type: "counter",
    help,
    samples: each(({ observations }) => counted(observations)[module]?.[name] ?? 0),
  });
  return [
    {
      name: "longhaul_raw_connections",
      type: "gauge",
      help: "Raw connections that stand.",
      samples: each(({ observations }) =>
        sum(observations, ({ connections, connectionsOmitted }) => connections.length + connectionsOmitted),
      ),
    },
    {
      name: "longhaul_raw_conversations",
      type: "gauge",
      help: "Conversations of applications.",
      samples: each(({ observations }) => sum(observations, ({ conversations }) => conversations)),
    },
    count("carrier", "carriedOut", "Datagrams sent in raw packets.", "sent_datagrams"),
    count("carrier", "carriedIn", "Datagrams received in raw packets.", "received_datagrams"),
    count("socket", "sentPackets", "Raw packets sent.", "sent_packets"),
    count("socket", "receivedPackets", "Raw packets received.", "received_packets"),
    count("socket", "sendErrors", "Raw packets the kernel refused.", "send_errors"),
    {
      name: "longhaul_raw_cpu_seconds",
      type: "counter",
      unit: "seconds",
      help: "Processor time of the carrier's threads.",
      samples: each(({ cpuSeconds }) => cpuSeconds),
    },
    {
      name: "longhaul_raw_firewall_restored",
      type: "counter",
      help: "Times the firewall's rule was gone and put back.",
      samples: ends.flatMap((end) => (end.firewall === undefined ? [] : [{ labels: labels(end), value: end.firewall.restored }])),
    },
    {
      name: "longhaul_raw_events",
      type: "counter",
      help: "Whatever else raw carriers count.",
      samples: ends.flatMap((end) =>
        Object.entries(counted(end.observations)).flatMap(([module, counters]) =>
          Object.entries(counters).map(([event, value]) => ({ labels: { ...labels(end), module, event: snake(event) }, value })),
        ),
      ),
    },
  ];
}

function counted(observations: readonly RawObservation[]): Record<string, Record<string, number>> {
  const all: Record<string, Record<string, number>> = {};
  for (const observation of observations) {
    for (const [module, counters] of Object.entries(observation.counted)) {
      all[module] ??= {};
      for (const [name, value] of Object.entries(counters)) all[module][name] = (all[module][name] ?? 0) + value;
    }
  }
  return all;
}

function sum(observations: readonly RawObservation[], of: (observation: RawObservation) => number): number {
  return observations.reduce((total, observation) => total + of(observation), 0);
}
