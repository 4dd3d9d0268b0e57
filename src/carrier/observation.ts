/** What one end of raw connections tells of itself when it is asked. */
import type { Millis } from "../base/units.ts";
import type { Connection, ConnectionStats } from "../faketcp/connection.ts";

export interface RawObservation {
  /** module → counter → value */
  readonly counted: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly conversations: number;
  /** Raw connections that stand; of a server OBSERVED_MAX at most. */
  readonly connections: readonly RawConnectionReport[];
  readonly connectionsOmitted: number;
}

export interface RawConnectionReport extends ConnectionStats {
  /** "192.0.2.7:4711" */
  readonly peer: string;
  /** Since its handshake began, and since it was heard. */
  readonly seconds: number;
  readonly heardSeconds: number;
  readonly conversations: number;
  /** The other end is one of ours. */
  readonly ours: boolean;
}

/** Connections that are told one by one. */
export const OBSERVED_MAX = 100;

/** `conversations`: those the connection carries. */
export function reportOf(now: Millis, peer: string, connection: Connection, conversations: number): RawConnectionReport {
  const { openedAt, heardAt, peerSplits, stats } = connection;
  return { peer, seconds: (now - openedAt) / 1000, heardSeconds: (now - heardAt) / 1000, conversations, ours: peerSplits, ...stats };
}
