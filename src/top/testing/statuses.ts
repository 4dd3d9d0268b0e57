/** Statuses as a tunnel would give them, for tests: only what a test is about has to be said. */
import { type SessionStatus, STATUS_VERSION, type Status } from "../../metrics/status.ts";

export function sessionStatus(given: Partial<SessionStatus> = {}): SessionStatus {
  return {
    ...{ key: "0.1", peer: "198.51.100.7:4000", seconds: 100, heardSeconds: 0.1, streams: 2 },
    ...{ rttMs: 205, rttLeastMs: 200, jitterMs: 3, rtoMs: 280 },
    ...{ waitingSegments: 12, inFlightSegments: 10, windowSegments: 128, remoteWindow: 512 },
    ...{ sentSegments: 1000, resentSegments: 10, receivedSegments: 900, repeatedSegments: 1 },
    ...{ fecDataShards: 1000, fecRecovered: 20, fecLost: 0 },
    ...{ sentPayloadBytes: 0, receivedPayloadBytes: 0, sentBytes: 0, receivedBytes: 0, sentDatagrams: 0, receivedDatagrams: 0 },
    ...given,
  };
}

export function status(given: Partial<Status> = {}): Status {
  const sessions = given.sessions ?? [sessionStatus()];
  return {
    ...{ version: STATUS_VERSION, release: "1.0.0", role: "server", pid: 4711, now: 1_000_000_000, observedMs: 1000, startedAt: 996_400 },
    ...{ at: ":29900", to: "127.0.0.1:1935", io: "epoll", cpuSeconds: 1, workerCpuSeconds: [0.5], rssBytes: 150e6 },
    rtt: { counts: [0, 0], sumMs: 0 },
    gauges: { sessions: sessions.length, streams: sessions.reduce((sum, { streams }) => sum + streams, 0) },
    counters: { smux: { bytesIn: 0, bytesOut: 0 } },
    sessionsOmitted: 0,
    streams: [],
    users: [],
    ...given,
    sessions,
  };
}
