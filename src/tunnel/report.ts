/** What a tunnel tells of itself: plain numbers for logs, metrics and the page. Taken on request, never on the packet's path. */
import type { Millis } from "../base/units.ts";
import type { PacketCipher } from "../cipher/cipher.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Session } from "./session.ts";

export interface SessionReport {
  readonly peer: string;
  readonly seconds: number;
  readonly streams: number;
  /** Smoothed round trip and resend timeout, ms. */
  readonly rttMs: number;
  readonly rtoMs: number;
  readonly waitingSegments: number;
  readonly remoteWindow: number;
  readonly sentSegments: number;
  readonly resentSegments: number;
  readonly receivedSegments: number;
  readonly repeatedSegments: number;
  readonly fecRecovered: number;
  readonly checksumErrors: number;
  /** FEC and KCP bytes, without what the cipher, UDP and IP add. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentDatagrams: number;
  readonly receivedDatagrams: number;
  readonly sendBlocked: number;
  readonly strayDatagrams: number;
}

export function reportSession(now: Millis, session: Session, endpoint: Endpoint, cipher: PacketCipher): SessionReport {
  const { kcp, transport } = session;
  return {
    peer: session.peerName,
    seconds: Math.round(now - session.startedAt) / 1000,
    streams: session.streams.size,
    rttMs: kcp.stats.srtt,
    rtoMs: kcp.stats.rto,
    waitingSegments: kcp.waitSnd,
    remoteWindow: kcp.stats.rmtWnd,
    sentSegments: kcp.stats.outSegs,
    resentSegments: kcp.stats.retransSegs,
    receivedSegments: kcp.stats.inSegs,
    repeatedSegments: kcp.stats.repeatSegs,
    fecRecovered: transport.decoder.stats.recovered,
    checksumErrors: cipher.stats.checksumErrors,
    sentBytes: transport.sentBytes,
    receivedBytes: transport.receivedBytes,
    sentDatagrams: transport.sentDatagrams,
    receivedDatagrams: transport.receivedDatagrams,
    sendBlocked: endpoint.counters.sendBlocked,
    strayDatagrams: endpoint.counters.strayDatagrams,
  };
}
