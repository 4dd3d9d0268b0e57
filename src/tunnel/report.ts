/** What a tunnel tells of its sessions and streams: plain numbers for logs, metrics and the page. Taken on request, never on the packet's path. */
import type { Bytes, Millis } from "../base/units.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

export interface SessionReport {
  /** Number of the session among all of its tunnel. */
  readonly id: number;
  readonly peer: string;
  /** Server with users: whose it is. */
  readonly user?: string;
  readonly seconds: number;
  /** Seconds since the peer was heard; of one that was never heard, since the session began. */
  readonly heardSeconds: number;
  readonly streams: number;
  /** Smoothed round trip, its shortest sample (−1 before the first), its variation and the resend timeout, ms. */
  readonly rttMs: number;
  readonly rttLeastMs: number;
  readonly jitterMs: number;
  readonly rtoMs: number;
  /** Queued or in flight. */
  readonly waitingSegments: number;
  readonly inFlightSegments: number;
  /** Most that may be in flight: the least of our window, the peer's and the congestion window. */
  readonly windowSegments: number;
  readonly remoteWindow: number;
  readonly sentSegments: number;
  readonly resentSegments: number;
  readonly receivedSegments: number;
  readonly repeatedSegments: number;
  /** FEC shards that came, that were rebuilt and that were lost for good. */
  readonly fecDataShards: number;
  readonly fecRecovered: number;
  readonly fecLost: number;
  /** Bytes of the applications. */
  readonly sentPayloadBytes: Bytes;
  readonly receivedPayloadBytes: Bytes;
  /** FEC and KCP bytes, without what the cipher, UDP and IP add. */
  readonly sentBytes: Bytes;
  readonly receivedBytes: Bytes;
  readonly sentDatagrams: number;
  readonly receivedDatagrams: number;
}

export interface StreamReport {
  readonly sid: number;
  /** The application at the near end, the target at the far one. */
  readonly remote: string;
  readonly seconds: number;
  readonly idleSeconds: number;
  readonly sentBytes: Bytes;
  readonly receivedBytes: Bytes;
  /** Received bytes that the socket does not take. */
  readonly backlogBytes: Bytes;
  readonly state: "open" | "local end" | "remote end" | "ended";
}

export function reportSession(now: Millis, session: Session): SessionReport {
  const { kcp, transport, layers } = session;
  const { stats } = kcp;
  const fec = transport.decoder.stats;
  return {
    id: session.id,
    peer: session.peerName,
    ...(session.lock === undefined || session.lock.user.name === "" ? {} : { user: session.lock.user.name }),
    seconds: seconds(now - session.startedAt),
    heardSeconds: seconds(now - transport.lastReceived),
    streams: session.streams.size,
    rttMs: stats.srtt,
    rttLeastMs: stats.leastRtt,
    jitterMs: stats.rttvar,
    rtoMs: stats.rto,
    waitingSegments: kcp.waitSnd,
    inFlightSegments: stats.inFlight,
    windowSegments: kcp.window,
    remoteWindow: stats.rmtWnd,
    sentSegments: stats.outSegs,
    resentSegments: stats.retransSegs,
    receivedSegments: stats.inSegs,
    repeatedSegments: stats.repeatSegs,
    fecDataShards: fec.dataShards,
    fecRecovered: fec.recovered,
    fecLost: fec.lost,
    sentPayloadBytes: layers?.smux.stats.bytesOut ?? 0,
    receivedPayloadBytes: layers?.smux.stats.bytesIn ?? 0,
    sentBytes: transport.sentBytes,
    receivedBytes: transport.receivedBytes,
    sentDatagrams: transport.sentDatagrams,
    receivedDatagrams: transport.receivedDatagrams,
  };
}

export function reportStream(now: Millis, stream: Stream): StreamReport {
  const { localEnded, remoteEnded } = stream;
  return {
    sid: stream.sid,
    remote: stream.remote,
    seconds: seconds(now - stream.openedAt),
    idleSeconds: seconds(now - stream.lastActive),
    sentBytes: stream.sentBytes,
    receivedBytes: stream.receivedBytes,
    backlogBytes: stream.backlogBytes,
    state: localEnded ? (remoteEnded ? "ended" : "local end") : remoteEnded ? "remote end" : "open",
  };
}

function seconds(ms: Millis): number {
  return Math.round(ms) / 1000;
}
