/** The answer to those who watch a tunnel: its totals, its sessions, and the streams of one of them, each list with a limit. */
import type { Millis } from "../base/units.ts";
import { reportSession, reportStream, type SessionReport, type StreamReport } from "./report.ts";
import type { Session } from "./session.ts";
import type { Totals, TunnelTotals } from "./totals.ts";
import type { UserReport } from "./user.ts";

export interface Question {
  /** Most sessions told of: those heard last. */
  readonly sessionsMax: number;
  /** The session whose streams are told of. */
  readonly streamsOf?: number | undefined;
  /** Most of its streams: those opened last. */
  readonly streamsMax: number;
  /** Most users told of: the first of the configuration. None by default. */
  readonly usersMax?: number | undefined;
}

export interface Observation {
  /** The loop's clock. */
  readonly at: Millis;
  readonly totals: TunnelTotals;
  readonly sessions: readonly SessionReport[];
  readonly streams: readonly StreamReport[];
  /** Of a server whose users have names. */
  readonly users: readonly UserReport[];
}

export function observe(
  now: Millis,
  all: Totals,
  totals: TunnelTotals,
  question: Question,
  users: readonly UserReport[] = [],
): Observation {
  const { sessionsMax, streamsOf, streamsMax } = question;
  const sessions = [...all.sessions];
  const asked = streamsOf === undefined ? undefined : sessions.find(({ id }) => id === streamsOf);
  const told = sessions.length <= sessionsMax ? sessions : sessions.sort(heardLast).slice(0, sessionsMax);
  return {
    at: now,
    totals,
    sessions: told.map((session) => reportSession(now, session)),
    streams: asked === undefined ? [] : [...asked.streams.values()].slice(-streamsMax).map((stream) => reportStream(now, stream)),
    users,
  };
}

function heardLast(a: Session, b: Session): number {
  return b.transport.lastReceived - a.transport.lastReceived;
}
