/**
 * The state of a tunnel as JSON, `GET /status`: what `longhaul top` and scripts read.
 *
 * `version` rises when a field changes its meaning or goes; new fields come without that. Times: `now` and `startedAt` are Unix time, all else are
 * durations. Counts never fall while the process (pid and startedAt) is the same.
 */
import { z } from "zod";
import type { MergedObservation } from "./merge.ts";
import type { ProcessFacts } from "./process-facts.ts";

export const STATUS_VERSION = 1;

const n = z.number();

const sessionStatus = z.object({
  /** "worker.number": names the session in `?session=`. */
  key: z.string(),
  peer: z.string(),
  /** Only where users have keys of their own. */
  user: z.string().optional(),
  ...{ seconds: n, heardSeconds: n, streams: n },
  ...{ rttMs: n, rttLeastMs: n, jitterMs: n, rtoMs: n },
  ...{ waitingSegments: n, inFlightSegments: n, windowSegments: n, remoteWindow: n },
  ...{ sentSegments: n, resentSegments: n, receivedSegments: n, repeatedSegments: n },
  ...{ fecDataShards: n, fecRecovered: n, fecLost: n },
  ...{ sentPayloadBytes: n, receivedPayloadBytes: n, sentBytes: n, receivedBytes: n, sentDatagrams: n, receivedDatagrams: n },
});

const streamStatus = z.object({
  sid: n,
  remote: z.string(),
  ...{ seconds: n, idleSeconds: n, sentBytes: n, receivedBytes: n, backlogBytes: n },
  state: z.string(),
});

const userStatus = z.object({
  name: z.string(),
  ...{ sessions: n, streams: n, receivedPayloadBytes: n, sentPayloadBytes: n, usedBytes: n, quotaBytes: n },
  ...{ sessionsRefused: n, streamsRefused: n, quotaExceeded: n, rateWaits: n },
});

export const statusSchema = z.object({
  version: z.literal(STATUS_VERSION),
  release: z.string(),
  /** raw: its sessions are raw connections, of which no round trips and no segments are known. */
  role: z.enum(["client", "server", "raw"]),
  pid: n,
  /** Unix ms. */
  now: n,
  /** When its workers were asked, on a clock of its own, ms: rates are differences of counts by differences of this. */
  observedMs: n,
  /** Unix s. */
  startedAt: n,
  at: z.string(),
  to: z.string(),
  io: z.string(),
  /** Of the process, and of each worker's thread. */
  cpuSeconds: n,
  workerCpuSeconds: z.array(n),
  rssBytes: n,
  /** Round trips by 1, 2, 4 … 16,384 ms and more, and their sum. */
  rtt: z.object({ counts: z.array(n), sumMs: n }),
  gauges: z.record(z.string(), n),
  /** module → counter → value. */
  counters: z.record(z.string(), z.record(z.string(), n)),
  sessions: z.array(sessionStatus),
  /** Sessions that live beyond those told of. */
  sessionsOmitted: n,
  /** Of the session asked for. */
  streams: z.array(streamStatus),
  /** Of a server whose users have names; none from a release that did not tell. */
  users: z.array(userStatus).default([]),
});

export type Status = z.output<typeof statusSchema>;
export type SessionStatus = z.output<typeof sessionStatus>;
export type StreamStatus = z.output<typeof streamStatus>;

export function statusOf(
  { at: observedMs, totals, sessions, streams, users, workers }: MergedObservation,
  facts: ProcessFacts,
  now: number,
): Status {
  const { release, pid, startedAt, at, to, io, cpuSeconds, rssBytes } = facts;
  return {
    ...{ version: STATUS_VERSION, release, role: totals.role, pid, now, observedMs, startedAt, at, to, io },
    ...{ cpuSeconds, workerCpuSeconds: workers.map((worker) => worker.cpuSeconds), rssBytes },
    rtt: { counts: [...totals.rtt.counts], sumMs: totals.rtt.sumMs },
    gauges: { ...totals.now },
    counters: Object.fromEntries(Object.entries(totals.counted).map(([module, counts]) => [module, { ...counts }])),
    sessions: sessions.map(({ id: _number, ...session }) => session),
    sessionsOmitted: Math.max(0, totals.now.sessions - sessions.length),
    streams: [...streams],
    users: [...users],
  };
}
