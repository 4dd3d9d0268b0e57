/** What a session is given by its owner: a port of the server (port.ts) or a path of the client (path.ts). */
import type { Millis } from "../base/units.ts";
import type { Description } from "../extension/description.ts";
import type { Log } from "../host/log.ts";
import type { ProxiedAddress } from "../host/proxy-protocol.ts";
import type { QppPads } from "../qpp/qpp.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import type { TunnelConfig } from "./config.ts";
import type { AcceptFlow } from "./flows.ts";
import type { Lock } from "./lock.ts";
import type { Scratch } from "./scratch.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

export interface SessionOptions {
  readonly role: "client" | "server";
  readonly conv: number;
  readonly peer: number;
  readonly peerName: string;
  /** Belongs to the session alone. */
  readonly config: TunnelConfig;
  /** Server: the key of its user. */
  readonly lock?: Lock;
  /** Bytes the cipher adds to a datagram. */
  readonly cipherBytes: number;
  readonly scratch: Scratch;
  /** Of option QPP. */
  readonly pads?: QppPads | undefined;
  readonly log: Log;
  /** Has something to do: the endpoint calls `advance` in this round. */
  readonly wake: (session: Session) => void;
  /** What we tell the peer that we can and want (hello.ts). */
  readonly features: number;
  readonly counters: ChannelCounters;
  /** Server: who the client is and which address of ours it sends to. */
  readonly addresses?: () => readonly [source: ProxiedAddress, destination: ProxiedAddress];
  /** The peer opened a stream: attach a socket to it, or refuse it. */
  readonly opened: (session: Session, stream: Stream, now: Millis, description: Description | undefined) => void;
  /** The peer opened a flow. */
  readonly flowOpened: AcceptFlow;
  /** What a stream of ours asked for was granted, where that is told (reverse). */
  readonly granted?: (session: Session, stream: Stream, now: Millis) => void;
}
