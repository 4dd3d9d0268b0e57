/** What a raw carrier is told, beside what its core is (faketcp/options.ts). */
import type { RawOptions } from "../faketcp/options.ts";

export interface CarrierSettings {
  readonly raw: RawOptions;
  /** Client: where datagrams are taken. Server: the address and port that clients send raw packets to. */
  readonly local: HostPort;
  /** Client: the server. Server: where datagrams go. A literal address. */
  readonly remote: HostPort;
  /** Client: of raw packets; by default what the route says, and a random port for each connection. */
  readonly sourceHost?: string;
  readonly sourcePort?: number;
  /** Of the sockets, both ways; default 1 MiB. */
  readonly socketBufferBytes?: number;
  /** Most conversations at once (server: of one client); default 10,000. */
  readonly conversationsMax?: number;
  /** A conversation without datagrams for so long is forgotten; default 180 s. */
  readonly conversationIdleMs?: number;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface CarrierCounters {
  /** Datagrams out of and into the raw connection. */
  carriedOut: number;
  carriedIn: number;
  /** Thrown away: no connection stands, or the raw socket's buffer is full. */
  droppedUnconnected: number;
  droppedBusy: number;
  /** Thrown away: of a conversation nobody knows, or beyond the limit of conversations. */
  droppedUnknown: number;
  conversationLimitHits: number;
}

export function newCarrierCounters(): CarrierCounters {
  return { carriedOut: 0, carriedIn: 0, droppedUnconnected: 0, droppedBusy: 0, droppedUnknown: 0, conversationLimitHits: 0 };
}

/** As the original's. */
export const SOCKET_BUFFER_BYTES = 1_048_576;
export const CONVERSATIONS_MAX = 10_000;
export const CONVERSATION_IDLE_MS = 180_000;
