/**
 * The seam between capabilities and the operating system: sockets, time and names, in batches, without a promise or an event a packet.
 *
 * Two implementations behave alike: `loop-epoll.ts` (Linux: foreign calls to epoll, recvmmsg and sendmmsg with UDP_GRO and UDP_SEGMENT; runs a
 * worker thread by itself) and `loop-node.ts` (dgram and net, anywhere). `sim/` has a third in virtual time.
 *
 * One round of a loop:
 *
 *   wait until a socket is ready or the earliest deadline is due
 *   read the clock once: `now`
 *   for each ready socket: handler.receive / readable / writable / closed (now)      handlers only mutate
 *   for each driver:       deadline = driver.advance(now)                            drivers send what became due
 */
import type { Batch } from "../base/batch.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Millis } from "../base/units.ts";
import type { AddressTable } from "./address.ts";

/** A TCP or UDP end point: a literal IP address without brackets, or the path of a unix socket. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** Called once at the end of every round and when its last answer is due; answers when it wants to be called next. */
export interface Driver {
  advance(now: Millis): Millis;
}

export interface Loop {
  /** For the log line at start: "epoll" or "node". */
  readonly kind: string;
  /** Monotonic clock. One reading a batch: handlers are given it. */
  now(): Millis;
  /** @throws HostError when the address cannot be bound */
  udp(options: UdpOptions, handler: UdpHandler): UdpSocket;
  /**
   * Starts connecting; `handler.connected` or `handler.closed` follows, never from inside this call. `from`: on whose behalf, for loops that hand the
   * connection to somebody in this process. `source`: the address it leaves from, where it is not the route's.
   */
  connect(to: Endpoint, handler: TcpHandler, from?: string, source?: SourceAddress): TcpSocket;
  /** `accept` is asked for each new connection; it answers the handler, or undefined to refuse. @throws HostError */
  listen(at: Endpoint, accept: Accept): Listener;
  /** Resolves a name to one literal address (a literal is answered as it is). `done` is called later, once, from a round. */
  resolve(host: string, family: 0 | 4 | 6, done: (address: string | undefined, now: Millis) => void): void;
  drive(driver: Driver): void;
  /** Runs the driver in the next round even if nothing is due. */
  wake(): void;
  /** Closes every socket; `run` returns. */
  stop(): void;
}

/** Where a connection or a connected UDP socket leaves from. Only on epoll; the node loop takes it when it is this machine's own. */
export interface SourceAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** It may be an address that this machine does not have (IP_TRANSPARENT; needs CAP_NET_ADMIN). */
  readonly transparent?: boolean;
  /** It leaves by this interface. */
  readonly device?: string;
}

export interface UdpOptions {
  /** Literal address; "0.0.0.0" or "::" for all. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** SO_RCVBUF and SO_SNDBUF in bytes (the kernel may clamp it). */
  readonly socketBufferBytes?: number;
  /** Differentiated services code point, 0…63. */
  readonly dscp?: number;
  /** The kernel may split what is sent and join what is received (UDP_SEGMENT, UDP_GRO), where it can; by default it may. */
  readonly segmentation?: boolean;
  /** Most peers whose address is remembered. */
  readonly peersMax?: number;
  /** Connected to this one: nobody else's datagrams come in, and `UdpHandler.unreachable` tells of refusals. */
  readonly peer?: { readonly host: string; readonly port: number };
  /** `host` may be an address that this machine does not have (IP_TRANSPARENT; needs CAP_NET_ADMIN). */
  readonly transparent?: boolean;
  /** Sends and receives by this interface only; only on epoll. */
  readonly device?: string;
}

export interface UdpHandler {
  /** `batch` is borrowed until the call returns. batch.peer[i] is an id in the socket's AddressTable. */
  receive(now: Millis, batch: Batch): void;
  /** The kernel takes datagrams again after `send` took fewer than given. */
  writable(now: Millis): void;
  /** A connected socket: an ICMP message says that the peer, its host or its network is not there. errno's name. Once a round at most. */
  unreachable?(now: Millis, code: string): void;
}

export interface UdpCounters {
  receivedDatagrams: number;
  receivedBytes: number;
  sentDatagrams: number;
  sentBytes: number;
  /** System calls made, to see what batching brings. */
  receiveCalls: number;
  sendCalls: number;
  /** Datagrams the kernel refused for another reason than a full buffer; they are gone. */
  sendErrors: number;
  /** Datagrams dropped because the address table was full or the datagram longer than the slab's room. */
  receiveDropped: number;
}

export function newUdpCounters(): UdpCounters {
  return {
    receivedDatagrams: 0,
    receivedBytes: 0,
    sentDatagrams: 0,
    sentBytes: 0,
    receiveCalls: 0,
    sendCalls: 0,
    sendErrors: 0,
    receiveDropped: 0,
  };
}

export interface UdpSocket {
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: AddressTable;
  readonly counters: UdpCounters;
  /** Sends datagrams from…batch.length−1 to their peers; answers the index of the first not taken (= batch.length if all were). */
  send(batch: Batch, from: number): number;
  close(): void;
}

/** Asked for each new connection, which is established already; answers its handler, or undefined to refuse (RST). */
export type Accept = (socket: TcpSocket, now: Millis) => TcpHandler | undefined;

/** Connections that the kernel completes ahead of `accept`; it may allow fewer (net.core.somaxconn). */
export const BACKLOG = 1024;

/** Most pieces one `readv` or `writev` takes. */
export const PIECES_MAX = 256;

/** All methods are called from a round of the loop; after `closed` nothing more is called. */
export interface TcpHandler {
  /** Only for a socket that `Loop.connect` made: an accepted one is connected from the start. */
  connected(now: Millis): void;
  /** Bytes, or the end, can be read. Called at first, and again only after a `read` answered 0. */
  readable(now: Millis): void;
  /** Called again only after a `write` took fewer bytes than given. */
  writable(now: Millis): void;
  /** Broken, refused or reset: errno's name; the socket is gone. Not called for what `close` and `reset` did, nor by `Loop.stop`. */
  closed(now: Millis, code: string): void;
}

export interface TcpTuning {
  /** Wanted congestion control, such as "bbr": taken when the kernel has it and allows it. */
  readonly congestion?: string;
  /** Most bytes that wait in the kernel without having been sent (TCP_NOTSENT_LOWAT). */
  readonly unsentBytesMax?: number;
}

export interface TcpSocket {
  /** "203.0.113.7:4711", for logs. */
  readonly remote: string;
  /** The address of ours that was asked, likewise; "" or left out where that is not known. Looked up when asked for. */
  readonly local?: string;
  /** How the kernel sends, where that can be said; what it does not know is left as it was. */
  tune?(tuning: TcpTuning): void;
  /** The kernel's congestion control, where that can be known: "bbr", "cubic", … */
  readonly congestion?: string;
  /** Bytes read into bytes[offset…limit); 0 = nothing now; −1 = the peer ended its side. */
  read(bytes: Uint8Array, offset: number, limit: number): number;
  /** Bytes taken of bytes[offset…end); they were copied. Fewer than given: `writable` or `closed` follows. Not after `shutdown`. */
  write(bytes: Uint8Array, offset: number, end: number): number;
  /** `read` into the pieces in turn: bytes read altogether, 0 or −1. 1…PIECES_MAX pieces. */
  readv(pieces: Pieces): number;
  /** `write` of the pieces in turn: bytes taken altogether. 1…PIECES_MAX pieces. */
  writev(pieces: Pieces): number;
  /** Ends our side (FIN) behind what was written; reading goes on. */
  shutdown(): void;
  /**
   * Ends both sides in order; what was taken is still delivered. Needed also after both sides have ended by themselves. Input that comes
   * later is thrown away, for 2 s at most.
   */
  close(): void;
  /** Ends both sides with RST. `reason`: a sentence or code for whoever is at the other end in this process; it does not leave the machine. */
  reset(reason?: string): void;
}

export interface Listener {
  readonly local: Endpoint;
  close(): void;
}
