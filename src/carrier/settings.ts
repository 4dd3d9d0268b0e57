/** What a raw carrier is told, beside what its core is (faketcp/options.ts). */

import { drawU32, type RawOptions } from "../faketcp/options.ts";
import type { Fanout, LowerLevel, RawSocketOptions } from "../host/raw-socket.ts";

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
  /** See RawSocketOptions. */
  readonly device?: string;
  readonly sendsByDevice?: boolean;
  readonly lowerLevel?: LowerLevel;
  readonly forceBuffers?: boolean;
  readonly fanout?: Fanout;
  /** Client: the server's name, looked up again for every new connection; `moved` is told when it has another address. */
  readonly name?: string;
  readonly moved?: (address: string) => void;
  /** RSTs of others that are logged; default 15. */
  readonly resetsShown?: number;
  /** Client: RSTs during a connection after which another one is made; by default they mean nothing. */
  readonly resetsAllowed?: number;
  /** Datagrams of so many bytes are warned of; by default none. */
  readonly mtuWarnBytes?: number;
  /** For tests: of 10,000 packets so many are not sent. */
  readonly randomDrop?: number;
  /** Most conversations at once (server: of one client); default 10,000. */
  readonly conversationsMax?: number;
  /** A conversation without datagrams for so long is forgotten; default 180 s. */
  readonly conversationIdleMs?: number;
}

/** What of an end's settings is the raw socket's. */
export type SocketSettings = Pick<
  CarrierSettings,
  "socketBufferBytes" | "device" | "sendsByDevice" | "lowerLevel" | "forceBuffers" | "fanout"
>;

export function socketOptions(settings: SocketSettings): Omit<RawSocketOptions, "version"> {
  const { socketBufferBytes = SOCKET_BUFFER_BYTES, device, sendsByDevice, lowerLevel, forceBuffers, fanout } = settings;
  return {
    bufferBytes: socketBufferBytes,
    ...(device === undefined ? {} : { device }),
    ...(sendsByDevice === undefined ? {} : { sendsByDevice }),
    ...(lowerLevel === undefined ? {} : { lowerLevel }),
    ...(forceBuffers === undefined ? {} : { forceBuffers }),
    ...(fanout === undefined ? {} : { fanout }),
  };
}

/** Asked of every packet whether it shall not be sent; undefined: all are. */
export function dropsOf({ raw, randomDrop = 0 }: Pick<CarrierSettings, "raw" | "randomDrop">): (() => boolean) | undefined {
  return randomDrop === 0 ? undefined : () => drawU32(raw.random) % 10_000 < randomDrop;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface CarrierCounters {
  /** Datagrams out of and into the raw connection. */
  carriedOut: number;
  carriedIn: number;
  bytesOut: number;
  bytesIn: number;
  /** Thrown away: no connection stands, or the raw socket's buffer is full. */
  droppedUnconnected: number;
  droppedBusy: number;
  /** Thrown away: of a conversation nobody knows, or beyond the limit of conversations. */
  droppedUnknown: number;
  conversationLimitHits: number;
  /** Sent although they may be too long (mtuWarnBytes). */
  longDatagrams: number;
  /** Not sent because of randomDrop. */
  droppedOnPurpose: number;
}

export function newCarrierCounters(): CarrierCounters {
  return {
    carriedOut: 0,
    carriedIn: 0,
    bytesOut: 0,
    bytesIn: 0,
    droppedUnconnected: 0,
    droppedBusy: 0,
    droppedUnknown: 0,
    conversationLimitHits: 0,
    longDatagrams: 0,
    droppedOnPurpose: 0,
  };
}

/** As the original's. */
export const SOCKET_BUFFER_BYTES = 1_048_576;
export const CONVERSATIONS_MAX = 10_000;
export const CONVERSATION_IDLE_MS = 180_000;
