/**
 * The seam between WebRTC and the machine: ICE, DTLS and SRTP over UDP. What is above it sees RTP and RTCP in the clear, and nothing of how they get there.
 *
 *   PeerTransports.open ─▶ PeerTransport { local } ── start(remote) ──▶ handler.connected ─▶ rtp, rtcp … ─▶ handler.closed
 *
 * One implementation: `peer-transport-werift.ts`.
 */
import type { Bytes, Millis } from "../base/units.ts";
import type { TransportDescription } from "../media/sdp/transport-description.ts";

/** All methods but `closed` mutate only; whoever needs to send something does so in the loop's next round, which follows at once. */
export interface PeerTransportHandler {
  /** ICE and DTLS have come up: packets can be sent. */
  connected(now: Millis): void;
  /** A packet that was authenticated, in the clear: bytes[0…length). Borrowed until the call returns. */
  rtp(now: Millis, bytes: Uint8Array, view: DataView): void;
  rtcp(now: Millis, bytes: Uint8Array, view: DataView): void;
  /** It failed, fell silent or was closed by the peer, for this reason; nothing is called afterwards. Not called for what `close` did. */
  closed(now: Millis, reason: string): void;
}

export interface PeerTransportCounters {
  packetsReceived: number;
  bytesReceived: Bytes;
  packetsSent: number;
  bytesSent: Bytes;
  /** Packets that were not authentic, or came twice. */
  refused: number;
}

export interface PeerTransport {
  /** What the answer says of us, all candidates included. */
  readonly local: TransportDescription;
  readonly counters: PeerTransportCounters;
  /** Bytes that each RTP packet grows by below us: SRTP's tag, UDP and IP. */
  readonly overheadBytes: Bytes;
  /** Begins to connect with what the offer says of the peer. Once. */
  start(remote: TransportDescription): void;
  /** A candidate that came later (trickle); the value of a=candidate. */
  addCandidate(candidate: string): void;
  /** New credentials on both sides, the DTLS connection goes on (RFC 8839 section 4.4.1.1); answers ours. */
  restart(remote: { readonly usernameFragment: string; readonly password: string }): Promise<TransportDescription>;
  /** Sends the RTP packet bytes[start…end), which is copied. Nothing happens before `connected` and after the end. */
  sendRtp(bytes: Uint8Array, start: number, end: number): void;
  sendRtcp(bytes: Uint8Array, start: number, end: number): void;
  close(): void;
}

export interface PeerTransportOptions {
  /** Addresses that are announced besides those of the machine's interfaces, as of a NAT before it. */
  readonly hosts?: readonly string[];
  /** UDP ports used, both included; any by default. */
  readonly ports?: readonly [number, number];
  /**
   * TCP is offered beside UDP (RFC 6544, passive), for peers whose network drops UDP; false. Each peer then has a listening socket, from `ports` too,
   * at the addresses of the machine's interfaces; browsers try it last.
   */
  readonly tcp?: boolean;
  /** Silence after which the peer is given up. Default 30 s (RFC 7675). */
  readonly silence?: Millis;
}

export interface PeerTransports {
  /** Gathers candidates. @throws HostError when no socket can be had */
  open(handler: PeerTransportHandler): Promise<PeerTransport>;
}
