/** The metric families of a tunnel: its counters by counter-table.ts, its gauges, its workers, its process, and some of its sessions. */
import type { LoopCounters } from "../host/loop-counters.ts";
import { RTT_BOUNDS_MS } from "../kcp/rtt.ts";
import type { Counts, TunnelGauges } from "../tunnel/totals.ts";
import { type CounterRow, counterTable, derivedCounters } from "./counter-table.ts";
import type { Family, Labels, Sample } from "./exposition.ts";
import type { KeyedSession, MergedObservation } from "./merge.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { snake } from "./snake.ts";
import { userFamilies } from "./user-families.ts";

/** How many sessions and users get series of their own. */
export interface SeriesLimits {
  readonly sessionsMax: number;
  readonly usersMax: number;
}

export function families(observation: MergedObservation, facts: ProcessFacts, { sessionsMax, usersMax }: SeriesLimits): Family[] {
  const { totals, workers, sessions, users } = observation;
  return [
    ...processFamilies(facts, totals.role),
    ...gaugeFamilies(totals.now),
    ...counterFamilies(totals.counted),
    {
      name: "longhaul_rtt_seconds",
      type: "histogram",
      unit: "seconds",
      help: "Round trips measured by KCP, all sessions together.",
      samples: [{ value: { bounds: RTT_BOUNDS_MS.map((ms) => ms / 1000), counts: totals.rtt.counts, sum: totals.rtt.sumMs / 1000 } }],
    },
    ...workerFamilies(workers),
    ...sessionFamilies(sessions.slice(0, sessionsMax)),
    ...userFamilies(users.slice(0, usersMax)),
  ];
}

/** `role`: client, server, live. */
export function processFamilies({ release, node, io, startedAt, cpuSeconds, rssBytes, http }: ProcessFacts, role: string): Family[] {
  return [
    {
      name: "longhaul_build",
      type: "info",
      help: "What runs here.",
      samples: [{ labels: { version: release, node, role, io }, value: 1 }],
    },
    single(
      "longhaul_http_dropped_connections",
      "counter",
      "Connections to this page dropped because too many were open.",
      http.connectionsDropped,
    ),
    single("process_cpu_seconds", "counter", "Processor time, user and system.", cpuSeconds, "seconds"),
    single("process_resident_memory_bytes", "gauge", "Resident memory.", rssBytes, "bytes"),
    single("process_start_time_seconds", "gauge", "When the process began, Unix time.", startedAt, "seconds"),
  ];
}

function gaugeFamilies(now: TunnelGauges): Family[] {
  return [
    single("longhaul_sessions", "gauge", "Sessions that live.", now.sessions),
    single("longhaul_sessions_highest", "gauge", "Most sessions there were at once.", now.sessionsMost),
    single("longhaul_streams", "gauge", "Connections that live.", now.streams),
    single("longhaul_peers", "gauge", "Addresses the sockets remember.", now.peers),
    single("longhaul_waiting_segments", "gauge", "KCP segments that wait for room in a window.", now.waitingSegments),
    single("longhaul_in_flight_segments", "gauge", "KCP segments sent and not acknowledged.", now.inFlightSegments),
    single("longhaul_readable_bytes", "gauge", "Received bytes that wait to be read.", now.readableBytes, "bytes"),
    single("longhaul_held_bytes", "gauge", "Memory that sessions hold for payloads.", now.heldBytes, "bytes"),
    single(
      "longhaul_rtmp_fitting_bytes_per_second",
      "gauge",
      "What of an encoder at an rtmp: forward would fit the link, 0 while all fits.",
      now.rtmpFits,
    ),
    single("longhaul_fec_open_groups", "gauge", "FEC groups that wait for more of their shards.", now.fecOpenGroups),
  ];
}

function counterFamilies(counted: Readonly<Record<string, Counts>>): Family[] {
  const rows = counterTable.map((row) => counterFamily(row, counted));
  const named = new Set([
    ...derivedCounters,
    ...counterTable.flatMap(({ from }) => (typeof from === "string" ? from : Object.values(from.values))),
  ]);
  const others = Object.entries(counted).flatMap(([module, counts]) =>
    Object.entries(counts)
      .filter(([event]) => !named.has(`${module}.${event}`))
      .map(([event, value]) => ({ labels: { module, event: snake(event) }, value })),
  );
  return [...rows, { name: "longhaul_events", type: "counter", help: "Whatever else the modules count.", samples: others }];
}

/** A module that has not begun to count has counted 0. */
function counterFamily({ name, help, unit, from }: CounterRow, counted: Readonly<Record<string, Counts>>): Family {
  const value = (path: string): number => {
    const [module = "", counter = ""] = path.split(".");
    return counted[module]?.[counter] ?? 0;
  };
  const samples: Sample[] =
    typeof from === "string"
      ? [{ value: value(from) }]
      : Object.entries(from.values).map(([of, path]) => ({ labels: { [from.label]: of }, value: value(path) }));
  return { name: `longhaul_${name}`, type: "counter", help, ...(unit === undefined ? {} : { unit }), samples };
}

function workerFamilies(workers: MergedObservation["workers"]): Family[] {
  const each = (of: (worker: MergedObservation["workers"][number]) => number): Sample[] =>
    workers.map((worker, i) => ({ labels: { worker: String(i) }, value: of(worker) }));
  const loop = (name: keyof LoopCounters): Sample[] => each((worker) => worker.loop[name]);
  return [
    {
      name: "longhaul_worker_cpu_seconds",
      type: "counter",
      unit: "seconds",
      help: "Processor time of the worker's thread.",
      samples: each((worker) => worker.cpuSeconds),
    },
    { name: "longhaul_loop_rounds", type: "counter", help: "Rounds of the worker's loop.", samples: loop("rounds") },
    {
      name: "longhaul_loop_late_rounds",
      type: "counter",
      help: "Rounds that began more than 2 ms after they were due.",
      samples: loop("lateRounds"),
    },
    {
      name: "longhaul_loop_late_seconds",
      type: "counter",
      unit: "seconds",
      help: "By how much those rounds were late, added up.",
      samples: each((worker) => worker.loop.lateMs / 1000),
    },
    {
      name: "longhaul_loop_pauses",
      type: "counter",
      help: "Times a busy loop let datagrams gather for a fraction of a millisecond.",
      samples: loop("pauses"),
    },
    { name: "longhaul_accepted_connections", type: "counter", help: "TCP connections accepted.", samples: loop("accepted") },
    {
      name: "longhaul_refused_connections",
      type: "counter",
      help: "TCP connections not wanted, or broken before they were taken.",
      samples: loop("acceptRefused"),
    },
    {
      name: "longhaul_accept_pauses",
      type: "counter",
      help: "Times a listener rested because descriptors or memory had run out.",
      samples: loop("acceptPaused"),
    },
    {
      name: "longhaul_handed_over_connections",
      type: "counter",
      help: "Accepted TCP connections that a thread with fewer was given.",
      samples: loop("handedOver"),
    },
    {
      name: "longhaul_lingering_sockets",
      type: "gauge",
      help: "Closed sockets whose peer has not read the end.",
      samples: loop("lingering"),
    },
    { name: "longhaul_linger_cuts", type: "counter", help: "Closed sockets that were not let wait.", samples: loop("lingerCut") },
    {
      name: "longhaul_refused_lookups",
      type: "counter",
      help: "Names not looked up because too many look-ups were under way.",
      samples: loop("lookupsRefused"),
    },
  ];
}

function sessionFamilies(sessions: readonly KeyedSession[]): Family[] {
  const each = (of: (session: KeyedSession) => number): Sample[] =>
    sessions.map((session) => ({ labels: labelsOf(session), value: of(session) }));
  const both = (sent: keyof KeyedSession, received: keyof KeyedSession): Sample[] =>
    sessions.flatMap((session) => {
      const labels = labelsOf(session);
      return [
        { labels: { ...labels, direction: "sent" }, value: Number(session[sent]) },
        { labels: { ...labels, direction: "received" }, value: Number(session[received]) },
      ];
    });
  return [
    {
      name: "longhaul_session_rtt_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Smoothed round trip.",
      samples: each(({ rttMs }) => rttMs / 1000),
    },
    {
      name: "longhaul_session_jitter_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Mean deviation of the round trip.",
      samples: each(({ jitterMs }) => jitterMs / 1000),
    },
    {
      name: "longhaul_session_rto_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Resend timeout.",
      samples: each(({ rtoMs }) => rtoMs / 1000),
    },
    { name: "longhaul_session_streams", type: "gauge", help: "Connections of the session.", samples: each(({ streams }) => streams) },
    {
      name: "longhaul_session_waiting_segments",
      type: "gauge",
      help: "Segments queued or in flight.",
      samples: each(({ waitingSegments }) => waitingSegments),
    },
    {
      name: "longhaul_session_in_flight_segments",
      type: "gauge",
      help: "Segments in flight.",
      samples: each(({ inFlightSegments }) => inFlightSegments),
    },
    {
      name: "longhaul_session_window_segments",
      type: "gauge",
      help: "Most that may be in flight.",
      samples: each(({ windowSegments }) => windowSegments),
    },
    {
      name: "longhaul_session_heard_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Time since the peer was heard.",
      samples: each(({ heardSeconds }) => heardSeconds),
    },
    {
      name: "longhaul_session_payload_bytes",
      type: "counter",
      unit: "bytes",
      help: "Bytes of the applications.",
      samples: both("sentPayloadBytes", "receivedPayloadBytes"),
    },
    {
      name: "longhaul_session_wire_bytes",
      type: "counter",
      unit: "bytes",
      help: "FEC and KCP bytes.",
      samples: both("sentBytes", "receivedBytes"),
    },
    { name: "longhaul_session_segments", type: "counter", help: "KCP segments.", samples: both("sentSegments", "receivedSegments") },
    {
      name: "longhaul_session_retransmitted_segments",
      type: "counter",
      help: "KCP segments sent again.",
      samples: each(({ resentSegments }) => resentSegments),
    },
    {
      name: "longhaul_session_fec_recovered_shards",
      type: "counter",
      help: "Lost data shards rebuilt.",
      samples: each(({ fecRecovered }) => fecRecovered),
    },
    {
      name: "longhaul_session_fec_lost_shards",
      type: "counter",
      help: "Data shards not rebuilt.",
      samples: each(({ fecLost }) => fecLost),
    },
    {
      name: "longhaul_session_inbound_loss_ratio",
      type: "gauge",
      unit: "ratio",
      help: "Share of the peer's data shards that did not come by themselves, since the session began; only with FEC.",
      samples: sessions
        .filter(({ fecDataShards, fecRecovered }) => fecDataShards + fecRecovered > 0)
        .map((session) => {
          const missing = session.fecRecovered + session.fecLost;
          return { labels: labelsOf(session), value: missing / (session.fecDataShards + missing) };
        }),
    },
  ];
}

function labelsOf({ key, peer, user }: KeyedSession): Labels {
  return { session: key, peer, ...(user === undefined ? {} : { user }) };
}

function single(name: string, type: "counter" | "gauge", help: string, value: number, unit?: "seconds" | "bytes"): Family {
  return { name, type, help, ...(unit === undefined ? {} : { unit }), samples: [{ value }] };
}
